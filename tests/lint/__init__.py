"""What lint finds: shapes, warnings, codes, and where findings stand."""
