"""The commands, as a user types them and as their parts are asked."""
