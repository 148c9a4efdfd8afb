"""Raw objects to workflows, with errors that know their path. No meaning is checked here, only shape; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from jobsmgr.api.bounds import bound_problems
from jobsmgr.api.errors import InvalidWorkflow, Problem, quoted
from jobsmgr.api.fields import Manifest, json_key
from jobsmgr.api.params import Params
from jobsmgr.api.sizes import object_bytes
from jobsmgr.api.workflow import Group, Job, Spec, Workflow

T = TypeVar("T")
_OPAQUE_LISTS = ("env", "from_env", "volumes", "volume_mounts", "tolerations")
_MODELS = (Params, Job, Group, Spec)
_KEYS = {field.name: json_key(field) for cls in _MODELS for field in attrs.fields(cls)}


class _ShapeError(ValueError):
    """A value of the wrong shape; the message says what was found and what is expected."""


def parse_workflow(raw: Manifest) -> Workflow:
    """A ManagedJob object as a workflow.

    Fields that are not known are left alone: an older operator must not stumble over a newer manifest. Raises
    `InvalidWorkflow` with one problem a wrong field, each with its path.
    """
    metadata = raw.get("metadata") or {}
    name = str(metadata.get("name") or "")
    try:
        spec = _CONVERTER.structure(_or_empty(raw.get("spec"), "spec"), Spec)
    except (cattrs.BaseValidationError, _ShapeError) as error:
        raise InvalidWorkflow(f'workflow "{name}"', _problems(error, "spec")) from None
    if problems := tuple(bound_problems(spec, "spec")):
        raise InvalidWorkflow(f'workflow "{name}"', problems)
    return Workflow(
        name=name,
        namespace=str(metadata.get("namespace") or ""),
        spec=spec,
        uid=str(metadata.get("uid") or ""),
        generation=int(metadata.get("generation") or 1),
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        created=parse_time(metadata.get("creationTimestamp")),
        size=object_bytes(raw),
    )


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


def _or_empty(value: object, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _ShapeError(f"expected an object, found {quoted(value)}")
    return value


def _string(value: object, _: object = None) -> str:
    if not isinstance(value, str):
        raise _ShapeError(f"expected a string, found {quoted(value)}")
    return value


def _integer(value: object, _: object = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _ShapeError(f"expected a whole number, found {quoted(value)}")
    return value


def _boolean(value: object, _: object = None) -> bool:
    if not isinstance(value, bool):
        raise _ShapeError(f"expected true or false, found {quoted(value)}")
    return value


def _mapping(value: object, _: object = None) -> Mapping[str, Any]:
    return _or_empty(value, "")


def _objects(value: object, _: object = None) -> tuple[Mapping[str, Any], ...]:
    return tuple(_each(_list(value), _object))


def _strings(value: object, _: object = None) -> tuple[str, ...]:
    """A list of strings; a string itself is none, though Python would take it letter by letter."""
    return tuple(_each(_list(value), _string))


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _ShapeError(f"expected an object, found {quoted(value)}")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _ShapeError(f"expected a list, found {quoted(value)}")
    return list(value)


def _each(values: list[Any], one: Any) -> list[Any]:
    """Each item through a function, every failing one reported with its index."""
    done, errors = [], []
    for index, value in enumerate(values):
        try:
            done.append(one(value))
        except _ShapeError as error:
            error.add_note(IterableValidationNote("", index, object))
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, tuple)
    return done


def _dependency(value: object) -> str:
    entry = _object(value)
    if not isinstance(entry.get("name"), str):
        raise _ShapeError(f"expected {{name: ...}}, found {quoted(value)}")
    return str(entry["name"])


def _dependencies(value: object, _: object = None) -> tuple[str, ...]:
    """Names; an entry with run state was generated by the Go operator and is dropped where it repeats another."""
    items = _list(value)
    names = _each(items, _dependency)
    generated = [isinstance(item.get("status"), str) for item in items]
    return tuple(name for at, name in enumerate(names) if not (generated[at] and name in names[:at]))


def _pull_secrets(value: object, _: object = None) -> tuple[str, ...]:
    """Strings (the form of the Go operator) or {name}; a null item, which no schema can refuse, is left out."""
    items = [item for item in _list(value) if item is not None]
    return tuple(_each(items, lambda item: item if isinstance(item, str) else _dependency(item)))


def _pull_policy(value: object, _: object = None) -> str:
    """A string, or a list of one string (the form of the Go operator)."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _string(value)


def _present(raw: object) -> Mapping[str, Any]:
    """An object without its nulls: null is absence."""
    return {key: value for key, value in _object(raw).items() if value is not None}


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _boolean)
    special: dict[tuple[type, str], Callable[..., Any]] = {
        (Params, "image_pull_secrets"): _pull_secrets,
        (Params, "image_pull_policy"): _pull_policy,
        (Job, "args"): _strings,
        (Job, "command"): _strings,
        (Job, "dependencies"): _dependencies,
        (Group, "dependencies"): _dependencies,
    } | {(Params, name): _objects for name in _OPAQUE_LISTS}
    for cls in _MODELS:
        overrides = {}
        for field in attrs.fields(cls):
            hook = special.get((cls, field.name)) or (_mapping if "Manifest" in str(field.type) else None)
            overrides[field.name] = override(rename=json_key(field), struct_hook=hook)
        structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=False, **overrides)  # type: ignore[arg-type]
        converter.register_structure_hook(cls, _tolerant(structure))
    return converter


def _tolerant(structure: Any) -> Any:
    """Structure with nulls dropped and `volumeMounts` read as the alias of `volumeMount` that it is."""

    def hook(raw: object, cls: type[T]) -> T:
        present = dict(_present(raw))
        if cls is Params and "volumeMounts" in present:
            if "volumeMount" in present:
                raise _at("volumeMounts", "is an alias of volumeMount: set only one of them")
            present["volumeMount"] = present.pop("volumeMounts")
        for key in ("groups", "jobs"):
            if key in present and not isinstance(present[key], list):
                raise _at(key, f"expected a list, found {quoted(present[key])}")
        return structure(present, cls)  # type: ignore[no-any-return]

    return hook


def _at(key: str, message: str) -> IterableValidationError:
    """An error at a field of the object that is being read."""
    error = _ShapeError(message)
    error.add_note(AttributeValidationNote("", key, object))
    return IterableValidationError("", [error], object)


_CONVERTER = _converter()


def _problems(error: BaseException, path: str) -> list[Problem]:
    """The leaves of cattrs' exception groups as problems; their notes say attribute and index on the way down."""
    if not isinstance(error, BaseExceptionGroup):
        return [Problem(path, _sentence(error))]
    found: list[Problem] = []
    for inner in error.exceptions:
        step = path
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                step = f"{path}.{_KEYS.get(note.name, note.name)}"
            elif isinstance(note, IterableValidationNote):
                step = f"{path}[{note.index}]"
        found += _problems(inner, step)
    return found


def _sentence(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "required, but missing"
    return str(error)
