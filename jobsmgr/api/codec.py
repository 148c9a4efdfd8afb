"""Models from and to Kubernetes' JSON form, spec and status alike, each field as its annotation and metadata say.

cattrs writes the code of it: a loop of our own reads a tenth faster, but takes half as long again to write a status,
which happens much more often (`python -m benchmarks.codec`). What is wrong with an object is reported by
`jobsmgr.api.validation` alone: here reading accepts everything, and what cannot be read is as if it were absent.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from jobsmgr.api.fields import Manifest, aliases, api_fields, json_key
from jobsmgr.api.frozen import frozen

T = TypeVar("T")
_UNREADABLE: Any = object()


def decode(model: type[T], raw: Manifest) -> T:
    """A model from its JSON form; fields that are not known, and nulls, are left alone."""
    return _CONVERTER.structure(raw, model)


def encode(item: Any) -> dict[str, Any]:
    """A model in its JSON form; what has its default is left out, unless its metadata says `always`."""
    document: dict[str, Any] = _CONVERTER.unstructure(item)
    return document


def parse_time(text: object) -> datetime | None:
    """An RFC 3339 time as a datetime in UTC; None for what is absent or unreadable."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def format_time(moment: datetime | None) -> str | None:
    """A datetime as Kubernetes writes it: RFC 3339, UTC, whole seconds."""
    # A status is mostly times, many of them the same. Not strftime: isoformat costs a fifth.
    return None if moment is None else f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def objects(value: object) -> list[Manifest]:
    """The objects of a list; whatever else is in it, or in its place, is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


class Form(NamedTuple):
    """How values of one kind are read and written."""

    reader: Callable[[Any], Callable[..., Any]]
    """Makes the function that reads a value; it answers what the reader was made with where it cannot."""
    write: Callable[[Any], Any]
    empty: Any = ""
    """What a required field has that cannot be read."""


class CodedField(NamedTuple):
    """A field of a model, ready to be read and written."""

    name: str
    key: str
    form: Form
    default: Any
    """What it has where it is absent."""
    is_required: bool
    always: bool
    """Whether it is written even where it has its default."""


@cache
def coded_fields(model: type) -> tuple[CodedField, ...]:
    """The fields of a model with their forms."""
    hints = get_type_hints(model)
    return tuple(_coded(field, hints[field.name]) for field in api_fields(model))


def _coded(field: attrs.Attribute[Any], hint: Any) -> CodedField:
    said = field.metadata["schema"]
    form = _form(hint, said)
    if is_required := field.default is attrs.NOTHING:
        default = form.empty
    else:
        factory = getattr(field.default, "factory", None)
        default = frozen(factory()) if factory is not None else field.default
    always = is_required or said.get("always", False)
    return CodedField(field.name, json_key(field), form, default, is_required, always)


def _structure(model: type, converter: cattrs.Converter) -> Callable[[Manifest, Any], Any]:
    """The function that reads a model."""
    fields = coded_fields(model)
    hooks = {each.name: override(rename=each.key, struct_hook=each.form.reader(each.default)) for each in fields}
    structure: Any = make_dict_structure_fn(model, converter, _cattrs_detailed_validation=False, **_all(model, hooks))
    required = {each.key: None for each in fields if each.is_required}
    seconds = aliases(model).items()

    def read(raw: Manifest, _: Any) -> Any:
        known = {**required, **raw}
        for key, alias in seconds:
            if known.get(key) is None:
                known[key] = known.get(alias)
        return structure(known, model)

    return read


def _unstructure(model: type, converter: cattrs.Converter) -> Callable[[Any], dict[str, Any]]:
    """The function that writes a model."""
    hooks = {
        each.name: override(rename=each.key, unstruct_hook=each.form.write, omit_if_default=not each.always)
        for each in coded_fields(model)
    }
    return make_dict_unstructure_fn(model, converter, **_all(model, hooks))


def _all(model: type, hooks: Mapping[str, Any]) -> Any:
    """The same, and every attribute that is not part of the API left out."""
    return {name: override(omit=True) for name in attrs.fields_dict(model)} | dict(hooks)


_CONVERTER = cattrs.Converter(detailed_validation=False)
_CONVERTER.register_structure_hook_factory(attrs.has, _structure)
_CONVERTER.register_unstructure_hook_factory(attrs.has, _unstructure)


def _form(hint: Any, said: Mapping[str, Any]) -> Form:
    """By the `ref` of the metadata, else by the annotation."""
    if (form := _BY_REF.get(said.get("ref", ""))) is not None:
        return form
    kind = without_none(hint)
    if get_origin(kind) is tuple:
        return _list_of(_plain(get_args(kind)[0], said))
    return _plain(kind, said)


def without_none(hint: Any) -> Any:
    """The type of an annotation that may allow None beside it."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _plain(kind: Any, said: Mapping[str, Any]) -> Form:
    if attrs.has(kind):
        return _model(kind)
    if get_origin(kind) is None and issubclass(kind, Enum):
        return _enum(kind, said.get("newer"))
    return _SCALARS[get_origin(kind) or kind]


def _model(kind: type) -> Form:
    structure = _CONVERTER.get_structure_hook(kind)
    return Form(
        lambda default: lambda raw, _=None: structure(raw, kind) if isinstance(raw, Mapping) else default,
        _CONVERTER.get_unstructure_hook(kind),
    )


def _enum(kind: type[Enum], newer: Enum | None) -> Form:
    """By value; a word that is not known reads as `newer`, if the metadata names that."""
    members = {member.value: member for member in kind}

    def reader(default: Any) -> Callable[..., Any]:
        unknown = default if newer is None else newer
        return lambda raw, _=None: members.get(raw, unknown) if isinstance(raw, str) and raw else default

    return Form(reader, lambda member: member.value)


def _list_of(form: Form) -> Form:
    """A list; items that cannot be read are left out."""
    read, write = form.reader(_UNREADABLE), form.write

    def reader(default: Any) -> Callable[..., Any]:
        def read_all(raw: Any, _: Any = None) -> Any:
            if not isinstance(raw, list | tuple):
                return default
            return tuple([known for item in raw if (known := read(item)) is not _UNREADABLE])

        return read_all

    return Form(reader, lambda values: [write(value) for value in values], ())


def _same(value: Any) -> Any:
    return value


def _only(kind: type) -> Form:
    return Form(lambda default: lambda raw, _=None: raw if isinstance(raw, kind) else default, _same)


def _reads(read: Callable[[Any], Any], write: Callable[[Any], Any], empty: Any = "") -> Form:
    """A form that reads whatever it is given."""
    return Form(lambda _: lambda raw, _=None: read(raw), write, empty)


def _whole(default: Any) -> Callable[..., Any]:
    return lambda raw, _=None: raw if isinstance(raw, int) and not isinstance(raw, bool) else default


def _name(default: Any) -> Callable[..., Any]:
    def read(entry: Any, _: Any = None) -> Any:
        name = entry.get("name") if isinstance(entry, Mapping) else entry
        return name if isinstance(name, str) else default

    return read


def _dependencies(raw: Any) -> tuple[str, ...]:
    """Names; an entry with run state was generated by the Go operator and is dropped where it repeats another."""
    names: list[str] = []
    for item in objects(raw):
        name = item.get("name")
        if isinstance(name, str) and not (isinstance(item.get("status"), str) and name in names):
            names.append(name)
    return tuple(names)


_SCALARS: Mapping[Any, Form] = {
    str: _only(str),
    bool: _only(bool),
    int: Form(_whole, _same),
    datetime: _reads(parse_time, format_time),
    Mapping: _only(Mapping),
}
_DEPENDENCIES = _reads(_dependencies, lambda names: [{"name": name} for name in names])
_BY_REF: Mapping[str, Form] = {
    "ConditionStatus": _reads(
        lambda raw: None if raw == "Unknown" else raw == "True",
        lambda holds: "Unknown" if holds is None else str(holds),
    ),
    "GroupDependency[]": _DEPENDENCIES,
    "JobDependency[]": _DEPENDENCIES,
    # A string, or a list of one string (the form of the Go operator).
    "PullPolicy": _reads(lambda raw: raw[0] if isinstance(raw, list) and len(raw) == 1 else raw, _same),
    # Strings (the form of the Go operator) or {name}; a null item, which no schema can refuse, is left out.
    "PullSecret[]": _list_of(Form(_name, _same)),
}
