"""What only a real node shows: Pods that run in containers, and the kubelet's own words."""
