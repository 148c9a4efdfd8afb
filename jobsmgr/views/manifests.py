"""Objects as YAML that kubectl reads back as the same objects. Nothing is rendered from a workflow here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from jobsmgr.api.fields import Manifest
from jobsmgr.files.scalars import reads_as_text
from jobsmgr.views.escape import printable

_BASE: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper


class _Dumper(_BASE):  # type: ignore[misc]
    """Writes aliases out, and quotes every string that kubectl would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never an alias: each part stands in full."""
        return True


def _text(dumper: Any, value: str) -> Any:
    # What is not printable is escaped, which only double quotes can do; the emitter itself lets bidi marks through.
    lines = value.split("\n")
    if not all(line.isprintable() for line in lines):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    if len(lines) > 1:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if reads_as_text(value) else "'")


_Dumper.add_representer(str, _text)


def manifest_yaml(manifests: Iterable[Manifest]) -> str:
    """Objects as a YAML stream, keys in the order in which they are."""
    return "".join(f"---\n{_one(_plain(manifest))}" for manifest in manifests)


def value_yaml(value: Any) -> str:
    """A value as YAML on one line."""
    text: str = yaml.dump(
        _plain(value), Dumper=_Dumper, sort_keys=False, default_flow_style=True, width=2**31 - 1, allow_unicode=True
    )
    return printable(text.removesuffix("...\n").strip())


def _one(manifest: Any) -> str:
    options: Any = {"sort_keys": False, "width": 120, "default_flow_style": False}
    text: str = yaml.dump(manifest, Dumper=_Dumper, allow_unicode=True, **options)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    escaped: str = yaml.dump(manifest, Dumper=_Dumper, allow_unicode=False, **options)
    return escaped


def _plain(value: Any) -> Any:
    """Mappings and tuples as the dicts and lists that YAML knows."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
