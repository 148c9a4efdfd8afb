"""The built-in behaviour, one file a concern. A plugin here imports `jobsmgr` and nothing else, like anybody's."""
