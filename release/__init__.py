"""What accompanies the files of a release. Nothing of it is installed."""
