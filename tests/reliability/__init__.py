"""What takes minutes to hours to show, each with a nox session of its own, and the report of it all."""
