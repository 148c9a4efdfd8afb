"""YAML and JSON as kubectl reads them, each part with its position. What a document means is not asked here."""
