"""One twin for each built-in plugin, and plugins that third parties bring."""
