"""Programs of others that tests run: built once from their Go modules. Nothing of jobsmgr is imported here."""
