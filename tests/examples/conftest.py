"""The podman of the tests, for those that ask for it. Nothing is tested here."""

from tests.local.podman import podman as podman
