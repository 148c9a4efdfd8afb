"""Models to text: graphs, manifests, findings. Pure: nothing is printed and no file is read here."""
