"""What can be said about a file before anything is applied. No file is read and nothing is printed here."""
