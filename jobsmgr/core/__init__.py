"""The mind: from what is to what to do. No I/O, no clock, no async here."""
