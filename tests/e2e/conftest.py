"""What several tests of the operator set up alike, beyond the plane's own fixtures. Nothing is tested here."""

import pytest

from tests.e2e.tokens import Tokens
from tests.plane import rights
from tests.plane.site import Site


@pytest.fixture
def tokens(site: Site) -> Tokens:
    """The tokens of a service account with the rights of an operator in the test's namespace."""
    account = "operator"
    rights.give(*site, rights.shipped(), account)
    return Tokens.of(site, account)
