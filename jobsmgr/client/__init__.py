"""What a person's commands do on a cluster, with that person's rights. Nothing is printed here."""
