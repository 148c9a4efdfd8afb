"""The advice of a finding, followed to the letter in a manifest. Nothing is tested here, and nothing is interpreted."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from jobsmgr.api.errors import Problem

Raw = dict[str, Any]
_STEP = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|([^.\[\]]+)")


def _steps(path: str) -> list[str | int]:
    return [int(number) if number else key or word for number, key, word in _STEP.findall(path)]


class Place:
    """A field in a manifest, which is changed in place."""

    def __init__(self, raw: Raw, path: str) -> None:
        *way, self.last = _steps(path)
        parent: Any = raw
        for step in way:
            parent = parent[step]
        self.parent, self.raw, self.path = parent, raw, path

    @property
    def value(self) -> Any:
        return self.parent[self.last]

    def put(self, value: Any) -> None:
        self.parent[self.last] = value

    def remove(self) -> None:
        del self.parent[self.last]

    def rename(self, key: str, under: str = "") -> None:
        """A key keeps its place among its siblings, where the order of findings comes from."""
        value = self.value
        if under:
            self.remove()
            self.parent.setdefault(under, {})[key] = value
        else:
            items = [(key if name == self.last else name, inner) for name, inner in self.parent.items()]
            self.parent.clear()
            self.parent.update(items)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _by_name(value: Any) -> list[Raw]:
    if isinstance(value, str):
        return [{"name": value}]
    return [{"name": name, **(inner if isinstance(inner, dict) else {"value": inner})} for name, inner in value.items()]


def _in_quotes(value: Any) -> list[Raw]:
    return [
        {key: _text(inner) if isinstance(inner, bool | int | float) else inner for key, inner in entry.items()}
        for entry in _by_name(value)
    ]


def _own_name(place: Place) -> None:
    place.put(f"{place.value[:50]}-other")


def _depend(place: Place, name: str) -> None:
    place.put({**place.value, "name": name})


def _let_group_depend(place: Place, name: str) -> None:
    """A job's dependency becomes one of its group."""
    match = re.match(r"(spec\.groups\[\d+\])\.", place.path)
    assert match is not None
    Place(place.raw, match[1]).value.setdefault("dependencies", []).append({"name": name})
    place.remove()


def _cut_cycle(place: Place, waiting: str, waited: str) -> None:
    """The first edge of a cycle is one that a user wrote, under the path that is named."""
    names = [entry["name"] for entry in place.value]
    short = waited.removeprefix("group ")
    place.value.pop(next(at for at, name in enumerate(names) if name in (short, short.rpartition("/")[2])))


def _a_quantity(place: Place) -> None:
    place.put("2")


def _key(place: Place) -> None:
    place.rename("example.com/name")


FOLLOWED: Mapping[str, Callable[..., None]] = {
    r"; quote it$": lambda place: place.put(_text(place.value)),
    r"is not a valid variable name; use printable ASCII characters without '='$": lambda place: place.put("A"),
    r"is not a valid label value; use at most ": lambda place: place.put("x"),
    r"is not valid: use ((?:lower-case )?letters), digits": lambda place, _: place.put("x"),
    r"; remove the quotes$": lambda place: place.put(json.loads(place.value)),
    r"; put it in a list$": lambda place: place.put([place.value]),
    r"; put it in a list and quote it$": lambda place: place.put([_text(place.value)]),
    r"; write an empty list: \[\]$": lambda place: place.put([]),
    r"; write a list with one entry for each word$": lambda place: place.put(place.value.split()),
    r"; write a list of entries with a name: - name: ": lambda place: place.put(_by_name(place.value)),
    r"; write a list of entries with a name, and quote the values: ": lambda place: place.put(_in_quotes(place.value)),
    r"; write it as name: (.*) and value: (.*)$": lambda place, name, value: place.put({"name": name, "value": value}),
    r"; write it as name: ((?!.* and value: ).*)$": lambda place, name: place.put({"name": name}),
    r"; write it as (0[0-7]{3})$": lambda place, mode: place.put(int(mode, 8)),
    r"; write it under params$": lambda place: place.rename(str(place.last), under="params"),
    r'^no such field; did you mean "(\w+)"\?$': lambda place, key: place.rename(key),
    r'^no such field; did you mean "(\w+)" under params\?$': lambda place, key: place.rename(key, under="params"),
    r'" does not exist; did you mean "(.*)"\?$': _depend,
    r'is a job, not a group; name its group "(.*)", or let ': _depend,
    r"is a job, not a group; remove it, and let ": lambda place: place.remove(),
    r'^"(.*)" is a group, not a job; name it under dependencies of group ': _let_group_depend,
    r'; if you mean group "(.*)", name it under dependencies of group ': _let_group_depend,
    r"^\"(.*)\" matches \"(.*)\" and .*; write it as group/job$": lambda place, _, name: _depend(place, name),
    r"; remove this dependency$": lambda place: place.remove(),
    r" appears twice; remove one$": lambda place: place.remove(),
    r"^cycle: (.*?) -> (.*?)(?: -> .*)?; remove one of them$": _cut_cycle,
    r"^duplicate name .*; rename one of them$": _own_name,
    r"^must be one of (\w+)": lambda place, word: place.put(word),
    r"^must be (?:at least|at most) (-?\d+), found -?[\d.]+$": lambda place, bound: place.put(int(bound)),
    r"^is an alias of \w+: set only one of them$": lambda place: place.remove(),
    r"is not a valid quantity; write it like (\w+)": lambda place, like: place.put(like),
    r"is not a valid amount; use no minus sign": _a_quantity,
    r'^"(.*)" is above the limit "(.*)" at .*; lower one of them$': lambda place, _, limit: place.put(limit),
    r"key; write it as name or prefix\.example\.com/name$": _key,
    r"the operator's own; use another one$": _key,
    r"has both value and valueFrom; keep one of them$": lambda place: place.value.pop("value"),
    r"remove the white space at its start and end$": lambda place: place.put(place.value.strip()),
}
"""How each sentence is followed; its groups are what it names."""


def follow(raw: Raw, problem: Problem) -> Raw | None:
    """The manifest after doing what a problem says; None if its advice leaves the choice to a person."""
    for pattern, change in FOLLOWED.items():
        if (match := re.search(pattern, problem.message)) is not None:
            changed = copy.deepcopy(raw)
            change(Place(changed, problem.path), *match.groups())
            return changed
    return None
