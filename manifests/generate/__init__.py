"""The files of `manifests/`, worked out from the objects of `jobsmgr.installation`. No cluster is touched here."""
