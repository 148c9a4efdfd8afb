"""`jobsmgr run`: its options, what it is given, and how the run is put together. No job is run here."""
