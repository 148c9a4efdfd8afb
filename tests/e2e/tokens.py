"""The tokens of an operator that is a service account: one that it begins with, and one that takes its place."""

import attrs
import httpx

from tests.plane.eventually import eventually
from tests.plane.site import Site


@attrs.frozen
class Tokens:
    """Two tokens of one account, which has the shipped rights."""

    site: Site
    old: str
    new: str

    @classmethod
    def of(cls, site: Site, account: str) -> "Tokens":
        """Make both, in Secrets of their own."""
        old, new = (site.plane.service_account_token(site.namespace, account, secret=name) for name in ("old", "new"))
        return cls(site, old, new)

    def revoke_old(self) -> None:
        """Take the first one back, and wait until the API server refuses it, which remembers it for 10 s."""
        self.site.plane.call("DELETE", f"/api/v1/namespaces/{self.site.namespace}/secrets/old")
        eventually(lambda: not self._is_good(self.old), "the old token is refused")

    def _is_good(self, token: str) -> bool:
        plane = self.site.plane
        with httpx.Client(verify=plane.ssl_context(), trust_env=False) as client:
            return client.get(f"{plane.url}/api", headers={"Authorization": f"Bearer {token}"}).status_code != 401
