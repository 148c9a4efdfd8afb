"""Label keys and values, and quantities, as Kubernetes reads them. What they are used for is not asked here."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_KEY = re.compile(f"(?:(?P<prefix>{_PREFIX})/)?{_NAME}")
_VALUE = re.compile(f"({_NAME})?")
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)")
_SUFFIXES = {
    suffix: Decimal(10) ** power for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** (at + 1) for at, letter in enumerate("KMGTPE")}


def valid_key(key: str) -> bool:
    """Whether Kubernetes takes a label key: optionally a DNS prefix (<= 253 characters) and a slash, then a name."""
    match = _KEY.fullmatch(key)
    return match is not None and len(match["prefix"] or "") <= 253


def valid_value(value: object) -> bool:
    """Whether Kubernetes takes a label's value: empty, or what can be the name in a key."""
    return isinstance(value, str) and len(value) <= 63 and _VALUE.fullmatch(value) is not None


def parse_quantity(value: object) -> Decimal | None:
    """A resource.Quantity of Kubernetes (`500m`, `128Mi`, `1e3`) as a number; None if it is none."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    number, suffix = match.groups()
    try:
        exponent = suffix and suffix not in _SUFFIXES
        return Decimal(number + suffix) if exponent else Decimal(number) * _SUFFIXES.get(suffix, Decimal(1))
    except InvalidOperation:
        return None
