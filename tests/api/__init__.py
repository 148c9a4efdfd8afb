"""The words: models, codec, names, the CRD."""
