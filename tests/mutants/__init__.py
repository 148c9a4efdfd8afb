"""Seeded defects, and the test that has to notice each of them."""
