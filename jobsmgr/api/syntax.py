"""Kubernetes' syntax: names, keys, label values, variables, quantities, images, paths. What they are for is not asked.

A rule is a pattern in the part of regular expressions that the API server's Go and Python read alike, so that the CRD
and a check without a server say the same. Where a rule is stricter than Kubernetes, it says so.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache

import attrs

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WORD = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_ENDS = "starting and ending with a letter or digit"
_SUFFIXES = {
    suffix: Decimal(10) ** power for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_QUANTITY = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a schema as the API server reads it, to be searched for."""
    # Python's `$` also fits before a last line break, Go's does not; and Go's `\s` is ASCII.
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern, re.ASCII)


@attrs.frozen(kw_only=True)
class Rule:
    """What a text has to look like."""

    pattern: str
    words: str
    """The pattern as advice: an imperative without a full stop."""
    longest: int | None = None
    """How many characters it may have; None if only an object's size limits it."""

    @property
    def advice(self) -> str:
        """The words, with how long it may be."""
        return self.words if self.longest is None else self.words.replace("use ", f"use at most {self.longest} ", 1)

    def fits(self, value: object) -> bool:
        """Whether a value is a text of this form."""
        return (
            isinstance(value, str)
            and (self.longest is None or len(value) <= self.longest)
            and compiled(self.pattern).search(value) is not None
        )


LABEL = Rule(pattern=f"^{_LABEL}$", longest=63, words=f"use lower-case letters, digits and '-', {_ENDS}")
"""An RFC 1123 label: the name of a namespace, a container, a volume."""

SUBDOMAIN = Rule(pattern=f"^{_SUBDOMAIN}$", longest=253, words=f"use lower-case letters, digits, '-' and '.', {_ENDS}")
"""An RFC 1123 subdomain: the name of most objects. No part between two dots is empty or has a dash at an end."""

OPTIONAL_SUBDOMAIN = attrs.evolve(SUBDOMAIN, pattern=f"^({_SUBDOMAIN})?$")
"""The same, or empty for none."""

NAME_IN_KEY = Rule(pattern=f"^{_WORD}$", longest=63, words=f"use letters, digits, '-', '_' and '.', {_ENDS}")
"""The name in the key of a label or annotation, which a prefix and a slash can precede."""

LABEL_VALUE = attrs.evolve(NAME_IN_KEY, pattern=f"^({_WORD})?$")
"""The value of a label: such a name, or empty."""

DATA_KEY = Rule(
    pattern=r"^([-_A-Za-z0-9]|\.[-_A-Za-z0-9])[-._A-Za-z0-9]*$",
    longest=253,
    words="use letters, digits, '-', '_' and '.', and do not begin with two dots",
)
"""A key in a ConfigMap or Secret, which is also the name of a file."""

VARIABLE = Rule(pattern="^[ -<>-~]+$", words="use printable ASCII characters without '='")
"""The name of an environment variable, as Kubernetes takes it since 1.32 (RelaxedEnvironmentVariableValidation)."""

QUANTITY = Rule(pattern=f"^[-+]?{_QUANTITY}$", words="write it like 500m, 2, 128Mi or 1.5Gi")
"""A resource.Quantity. Stricter than Kubernetes, which ignores white space around it and reads no digit at all as 0."""

AMOUNT = Rule(pattern=rf"^\+?{_QUANTITY}$", longest=64, words=QUANTITY.words)
"""A quantity that a pod may ask for: never negative. Stricter than Kubernetes: `-0` is none, nor is a very long one."""

IMAGE = Rule(pattern=r"^\S(.*\S)?$", longest=1024, words="remove the white space at its start and end")
"""The image of a container. Stricter than Kubernetes: of one line, and not arbitrarily long; wider: white space that is
not ASCII only keeps the Pod from being created."""

IMAGE_REFERENCE = Rule(
    pattern=(
        r"^([A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?/)?[a-z0-9]+([-._]+[a-z0-9]+)*(/[a-z0-9]+([-._]+[a-z0-9]+)*)*"
        r"(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?(@sha256:[0-9a-f]{64})?$"
    ),
    words="write it like jobsmgr:1.2.0, or with a registry like registry.example.com/team/jobsmgr:1.2.0",
)
"""An image as registries name it: what a manifest of ours has to name, not all that a kubelet may be given."""


MOUNT_PATH = Rule(pattern="^[^:]+$", words="it must not contain ':'")
"""Where a volume is mounted. The API's own words; the API server does not check it, the container's start fails."""

KEY_ADVICE = "write it as name or prefix.example.com/name"
"""The form of a label's or annotation's key, which is more than one pattern, as advice."""


def valid_key(key: str) -> bool:
    """Whether Kubernetes takes a label key: optionally a DNS prefix (<= 253 characters) and a slash, then a name."""
    prefix, slash, name = key.rpartition("/")
    return NAME_IN_KEY.fits(name) and (not slash or SUBDOMAIN.fits(prefix))


def valid_annotation_key(key: str) -> bool:
    """Whether Kubernetes takes an annotation's key: that of a label, but its prefix may be in capitals."""
    return key.isascii() and valid_key(key.lower())


def valid_amount(value: object) -> bool:
    """Whether a pod may ask for this much of a resource: a quantity, as text or number, that is not negative."""
    return AMOUNT.fits(str(value))


def valid_path_inside(path: str) -> bool:
    """Whether a path stays below where it starts: not from the root, and no part of it is `..`; empty is the start."""
    return not path.startswith("/") and ".." not in path.split("/")


def parse_quantity(value: object) -> Decimal | None:
    """A resource.Quantity of Kubernetes (`500m`, `128Mi`, `1e3`) as a number; None if it is none."""
    text = str(value)
    if not QUANTITY.fits(text):
        return None
    number = text.rstrip("KMGTPEinumk")
    suffix = text[len(number) :]
    try:
        return Decimal(number) * _SUFFIXES[suffix] if suffix else Decimal(number)
    except InvalidOperation:
        return None
