"""What every test can ask for; the control plane starts only for those that do."""

from hypothesis import settings

pytest_plugins = ["tests.plane.fixtures"]

# No law is about time: on a busy machine an example may take as long as it likes.
settings.register_profile("jobsmgr", deadline=None)
settings.load_profile("jobsmgr")
