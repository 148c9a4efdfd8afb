"""What the tests of a plugin import: what becomes of a workflow with it, without a cluster. Nothing is run here.

Stable as `jobsmgr` itself is. Plugins that are installed take no part, so a test says the same on every machine.
"""

from jobsmgr.testing.workflows import find_problems, render_jobs

__all__ = ["find_problems", "render_jobs"]
