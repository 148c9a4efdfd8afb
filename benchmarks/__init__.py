"""Benchmarks: what jobsmgr costs beside the least that could do. Times are a report, never a test."""
