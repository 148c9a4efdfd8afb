"""The port on this machine: jobs in containers, as processes, or simulated. No scheduling here: that is the core's."""
