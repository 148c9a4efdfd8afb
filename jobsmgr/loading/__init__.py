"""Plugins found and registered. Nothing else imports by name, and no other room names a plugin."""
