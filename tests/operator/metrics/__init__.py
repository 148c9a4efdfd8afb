"""What is counted, on the loop with a port in memory and in virtual time."""
