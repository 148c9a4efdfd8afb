"""YAML and JSON as kubectl reads them."""
