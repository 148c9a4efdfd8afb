"""Findings: what can be said about a file before it is applied. No file is read and nothing is printed here."""
