"""What is shown: trees, graphs, manifests and findings."""
