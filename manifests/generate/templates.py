"""Objects as a chart's templates: actions in the place of values, and around keys. What the chart offers is not known
here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jobsmgr.api.fields import Manifest
from jobsmgr.views.manifests import manifest_yaml

_LINE = re.compile(r"^(?P<indent> *(?:- )?)(?P<key>[^\n:]+: )?__(?P<kind>[A-Z]+)(?P<number>\d+)__(?P<end>: null)?$")
_INSIDE = re.compile(r"__VALUE(\d+)__")


class Templates:
    """Values that stand for actions while an object is made, and the text in which they are actions."""

    def __init__(self) -> None:
        self._actions: list[str] = []

    def value(self, action: str) -> str:
        """A scalar. Where it is a whole value it is quoted: a namespace may be called `1e3`."""
        return self._mark("VALUE", action)

    def number(self, action: str) -> str:
        """A number or a boolean."""
        return self._mark("NUMBER", action)

    def tree(self, action: str) -> str:
        """A list or an object of the values."""
        return self._mark("TREE", action)

    def when(self, condition: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Fields that are there under a condition, to be put into an object."""
        return {self._mark("IF", condition): None, **fields, self._mark("END", ""): None}

    def item(self, condition: str, value: Any) -> list[Any]:
        """An element that is there under a condition, to be put into a list."""
        return [self._mark("IF", condition), value, self._mark("END", "")]

    def given(self, path: str, key: str) -> dict[str, Any]:
        """A field that is there if a value is, with that value."""
        return self.when(path, {key: self.tree(path)})

    def text(self, manifests: Iterable[Manifest]) -> str:
        """The template of objects."""
        # What looks like an action in the text of an object is none: alerts have templates of their own.
        text = manifest_yaml(manifests).removeprefix("---\n").replace("{{", '{{ "{{" }}')
        lines = text.split("\n")
        return "\n".join(self._line(line) for line in lines)

    def _mark(self, kind: str, action: str) -> str:
        self._actions.append(action)
        return f"__{kind}{len(self._actions) - 1}__"

    def _line(self, line: str) -> str:
        found = _LINE.match(line)
        if not found:
            return _INSIDE.sub(lambda inside: f"{{{{ {self._actions[int(inside[1])]} }}}}", line)
        action, start = self._actions[int(found["number"])], f"{found['indent']}{found['key'] or ''}"
        indent = found["indent"].removesuffix("- ")  # of an element of a list
        match found["kind"]:
            case "IF":
                return f"{indent}{{{{- if {action} }}}}"
            case "END":
                return f"{indent}{{{{- end }}}}"
            case "TREE":
                deeper = len(found["indent"]) + 2
                return f"{start.rstrip()}\n{' ' * deeper}{{{{- toYaml ({action}) | nindent {deeper} }}}}"
            case "NUMBER":
                return f"{start}{{{{ {action} }}}}"
        return f"{start}{{{{ {action} | quote }}}}"


def only_if(condition: str, text: str) -> str:
    """A template that gives nothing unless a condition holds."""
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"


def for_each(path: str, variable: str, text: str) -> str:
    """A template for each element of a list of the values."""
    return f"{{{{- range ${variable} := {path} }}}}\n---\n{text}{{{{- end }}}}\n"
