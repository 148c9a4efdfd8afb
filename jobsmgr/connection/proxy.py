"""Which proxy leads to a server, by Go's rules for HTTPS_PROXY and NO_PROXY. The environment is an argument."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

_PORTS = {"http": "80", "https": "443"}


def proxy_for(server: str, environment: Mapping[str, str]) -> str:
    """The proxy's URL; empty if the server is reached directly, as loopback always is."""
    url = urlsplit(server)
    proxy = _setting(environment, f"{url.scheme}_proxy")
    host, port = url.hostname or "", str(url.port) if url.port else _PORTS.get(url.scheme, "")
    if not proxy or host == "localhost" or ((address := _address(host)) and address.is_loopback):
        return ""
    entries = [entry.strip().lower() for entry in _setting(environment, "no_proxy").split(",")]
    if any(_covers(entry, host, port) for entry in entries if entry):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _setting(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _covers(entry: str, host: str, port: str) -> bool:
    """Whether an entry of NO_PROXY (`*`, a network, an address or a domain, the last two with or without port) does."""
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split(entry)
    if wanted and wanted != port:
        return False
    if (exempt := _address(name)) is not None:
        return exempt == address
    if address is not None or not name:
        return False
    name = name.removeprefix("*") if name.startswith("*.") else name
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def _split(entry: str) -> tuple[str, str]:
    """Host and port of an entry; an IPv6 address with a port is in brackets."""
    if (_address(entry) is None and entry.count(":") == 1) or entry.startswith("["):
        name, _, port = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
        return name.strip("[]"), port
    return entry, ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address; one of version 4 that is written as one of version 6 is of version 4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
