"""Boxes in layers, and lines between them that touch no other box (Sugiyama's method). Neither names nor SVG here."""
