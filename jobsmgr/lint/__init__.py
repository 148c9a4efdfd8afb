"""Findings with positions: what is wrong with a file before it is applied. No file is read, nothing is printed here."""
