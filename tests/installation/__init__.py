"""What installs the operator."""
