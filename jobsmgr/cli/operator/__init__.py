"""`jobsmgr operator`: its options. What the process does is in jobsmgr/operator."""
