"""How plugins are found, imported and checked."""
