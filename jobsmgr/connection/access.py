"""What is needed to reach one cluster as one user, as values. No file is read and no kubeconfig is known here."""

from __future__ import annotations

import os
import re
import ssl
import tempfile

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.answers import NotConfigured

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@attrs.frozen(kw_only=True)
class Access:
    """One cluster, one user. Certificates and key are PEM; `source` says in messages where all this comes from."""

    source: str
    server: str
    context: str = ""
    namespace: str = "default"
    """The pod's, or that of the kubeconfig's context."""
    in_pod: bool = False
    """Whether it is a pod's service account."""
    authority: bytes = b""
    insecure: bool = False
    server_name: str | None = None
    proxy: str = attrs.field(default="", repr=False)
    """It may have a password in it."""
    authorization: str = attrs.field(default="", repr=False)
    """The header of that name."""
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers."""
    certificate: bytes = attrs.field(default=b"", repr=False)
    key: bytes = attrs.field(default=b"", repr=False)
    plugin: Manifest | None = attrs.field(default=None, repr=False)
    """`exec` of the kubeconfig's user, whose credentials are still to be added."""
    plugin_cluster: Manifest | None = attrs.field(default=None, repr=False)
    """What that plugin gets to know of the cluster."""

    def has_same_connections(self, other: Access) -> bool:
        """Whether connections made by one are good for the other: only the header of a request may differ."""
        return attrs.evolve(self, authorization="") == attrs.evolve(other, authorization="")

    def ssl_context(self) -> ssl.SSLContext:
        """What a TLS connection needs. Nothing is left on a disk. Raises `NotConfigured`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif not self.authority:
            context.load_default_certs()
        try:
            if self.authority:
                # Text around the certificates may be anything; OpenSSL is given ASCII only.
                found = _CERTIFICATE.findall(self.authority.decode(errors="replace"))
                context.load_verify_locations(cadata="\n".join(found))
            if self.certificate:
                _load_pair(context, self.certificate, self.key)
        except (ssl.SSLError, ValueError) as error:
            raise NotConfigured(f"{self.source}: its certificates or its key cannot be used: {error}") from error
        return context


def bearer(token: str) -> str:
    """The header `Authorization` with a token. Raises `ValueError` for what cannot be one (RFC 6750)."""
    if not token.isascii():
        raise ValueError("its token has characters that are not ASCII")
    return header("its token", f"Bearer {token}")


def header(what: str, value: str) -> str:
    """A header's value. Raises `ValueError` for one with control characters, which would end it, as Go does."""
    if _CONTROL.search(value):
        raise ValueError(f"{what} has control characters, such as the end of a line")
    return value


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a client's certificate and key, which OpenSSL takes from a file only: from one in memory, gone at once."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("client"), "wb") as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password="")
        return
    with tempfile.NamedTemporaryFile() as file:  # macOS
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(file.name, password="")
