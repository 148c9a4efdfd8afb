"""The commands, each thin. Nothing is decided about workflows here."""
