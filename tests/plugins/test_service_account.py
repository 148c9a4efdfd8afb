"""Under which identity the pod runs."""

from __future__ import annotations

import pytest

from jobsmgr import Fragment
from tests.plugins.pods import fragment


def test_silence_leaves_it_to_kubernetes() -> None:
    """No field is set that no level named."""
    assert fragment("service_account") == Fragment()
    assert fragment("service_account", {"serviceAccount": ""}) == Fragment()


def test_the_innermost_account() -> None:
    """By its name in the namespace of the workflow."""
    found = fragment("service_account", {"serviceAccount": "outer"}, None, {"serviceAccount": "inner"})
    assert found == Fragment(pod={"serviceAccountName": "inner"})


@pytest.mark.parametrize("mounted", [True, False])
def test_whether_its_token_is_mounted(mounted: bool) -> None:
    """A false is said, not left out."""
    found = fragment("service_account", {"automountServiceAccountToken": mounted})
    assert found == Fragment(pod={"automountServiceAccountToken": mounted})
