"""Models to text: graphs, manifests, runs. Pure: nothing is printed and no file is read here."""
