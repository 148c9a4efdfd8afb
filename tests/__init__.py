"""The tests of jobsmgr, one folder a room."""
