"""Which replica may write: a Lease as Kubernetes keeps it, and the terms of a leader. No workflow is known here."""
