"""Tests of what is remembered of a workflow, a file a subject."""
