"""What a ManagedJob means: no event loop, no cluster, no clock."""
