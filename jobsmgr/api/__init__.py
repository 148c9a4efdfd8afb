"""The words everyone speaks: a workflow, its status and what to do, as frozen values. No I/O, no clock here."""
