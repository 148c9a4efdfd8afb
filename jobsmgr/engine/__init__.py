"""The loop that both shells share: look, decide, carry out. No Kubernetes client and no container engine here."""
