"""What is applied to a cluster to run the operator there, as objects. Nothing is read, printed or sent here."""
