"""The commands, one file each and thin; a folder where one needs more. Nothing is decided about workflows here."""
