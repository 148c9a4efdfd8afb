"""What lint finds, and how findings are reported."""
