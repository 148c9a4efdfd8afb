"""The operator's own code, run through all that can happen to small workflows, on an API server in memory."""
