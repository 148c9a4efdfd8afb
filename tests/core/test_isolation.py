"""Code that is not ours: whatever it raises and whatever it answers is one `PluginError`, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from jobsmgr import Condition, Counts, Fragment, JobKey, Params, Phase, PluginError, Problem, Status
from jobsmgr.api.errors import LONGEST, described
from jobsmgr.hookspecs import hookimpl
from tests.core.test_hooks import CALLS, CONTEXT, DECIDING, RAW, SNAPSHOT, WORKFLOW, load, plugin, wrapping
from tests.core.world import World, key


class Mute(Exception):
    """Cannot even say what is wrong."""

    def __str__(self) -> str:
        raise asyncio.CancelledError


class Long(Exception):
    """Says it at length."""

    def __str__(self) -> str:
        return "x" * 100_000_000


RAISED: dict[str, Callable[[], BaseException]] = {
    "cancelled": asyncio.CancelledError,
    "interrupt": KeyboardInterrupt,
    "exit": lambda: SystemExit(3),
    "generator-exit": GeneratorExit,
    "base": lambda: BaseException("any"),
    "group": lambda: BaseExceptionGroup("several", [asyncio.CancelledError(), KeyboardInterrupt()]),
    "stop": StopIteration,
    "stop-async": StopAsyncIteration,
    "recursion": RecursionError,
    "memory": MemoryError,
    "mute": Mute,
    "long": Long,
}


def raising(error: Callable[[], BaseException]) -> Callable[[], Any]:
    def function() -> Any:
        raise error()

    return function


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
@pytest.mark.parametrize("hook", DECIDING)
def test_whatever_is_raised_has_the_plugins_name(hook: str, error: Callable[[], BaseException]) -> None:
    """No exception is so special that it may pass for one of ours."""
    with pytest.raises(PluginError, match=rf'^plugin "p0" in jobsmgr_{hook}: raised ') as caught:
        CALLS[hook](load(plugin(**{hook: raising(error)})))
    assert len(str(caught.value)) < LONGEST + 100


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
def test_the_workflow_is_held(error: Callable[[], BaseException]) -> None:
    """Nothing starts, and it says why."""
    one = World(RAW, load(plugin(job_manifest=raising(error)))).settle()
    assert one.created == []
    assert one.conditions()["Stalled"] == (True, "PluginError")


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
def test_a_wrapper(error: Callable[[], BaseException]) -> None:
    """Before and after it passes the question on."""

    def before() -> Any:
        raise error()
        yield

    def after() -> Any:
        yield
        raise error()

    for function in (before, after):
        with pytest.raises(PluginError, match='plugin "p0" in jobsmgr_select_jobs: raised'):
            load(wrapping("select_jobs", function)).select_jobs(SNAPSHOT, (key("g/a"),))


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
@pytest.mark.parametrize("hook", ["validate", "conditions"])
def test_an_answer_that_is_worked_out_later(hook: str, error: Callable[[], BaseException]) -> None:
    """A generator's body runs when its values are taken."""

    def lazy() -> Iterator[Any]:
        raise error()
        yield

    with pytest.raises(PluginError, match=f'plugin "p0" in jobsmgr_{hook}: raised'):
        CALLS[hook](load(plugin(**{hook: lambda: lazy()})))


@pytest.mark.parametrize("hook", ["validate", "conditions"])
def test_an_answer_that_never_ends(hook: str) -> None:
    """It would take all memory."""
    with pytest.raises(PluginError, match='plugin "p0"'):
        CALLS[hook](load(plugin(**{hook: lambda: itertools.repeat(None)})))
    with pytest.raises(PluginError, match="returned more than 10000 values"):
        load(plugin(validate=lambda: itertools.repeat(Problem("spec", "no")))).validate(WORKFLOW)


def no(*_: Any, **__: Any) -> Any:
    raise asyncio.CancelledError


TRAPS = ("__eq__", "__ne__", "__hash__", "__repr__", "__str__", "__bool__", "__len__", "__iter__", "__format__")


def trapped(kind: type) -> type:
    """A type whose values run foreign code whatever is done with them."""
    return type("Trapped", (kind,), dict.fromkeys(TRAPS, no) | {"__slots__": ()})


TEXT: Any = trapped(str)("text")
ITEMS: Any = trapped(dict)(name="x")
LATE: dict[str, Any] = {
    "labels": {"a": TEXT},
    "env": ({"name": TEXT},),
    "container": {"image": TEXT},
    "pod": {"x": [1, (2.5, None)]},
}


class Liar:
    """Says that it is of whatever class it is asked for."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise asyncio.CancelledError


ANSWERS: dict[str, Callable[[], Any]] = {
    "validate": lambda: [Problem(TEXT, TEXT, TEXT)],
    "merge_params": lambda: Params(service_account=TEXT, env=({"name": TEXT},), labels={"a": TEXT}),
    "pod_fragment": lambda: Fragment(**LATE),
    "select_jobs": lambda: (JobKey(trapped(str)("g"), trapped(str)("a")),),
    "status": lambda: Status(observed_generation=trapped(int)(1), counts=Counts(total=trapped(int)(2))),
    "conditions": lambda: [Condition(type=TEXT, status=True, reason=TEXT, message=TEXT)],
}


@pytest.mark.parametrize("hook", ANSWERS)
def test_what_is_taken_over_is_our_own(hook: str) -> None:
    """Values of a plugin's own types are rebuilt: no code of theirs runs when they are compared, hashed or shown."""
    answer = CALLS[hook](load(plugin(**{hook: lambda: ANSWERS[hook]()})))
    assert answer == answer
    assert "Trapped" not in repr(answer)
    assert repr(answer)


@pytest.mark.parametrize("hook", [*DECIDING])
def test_an_answer_that_lies_about_its_class(hook: str) -> None:
    """Only its type counts."""
    answer = [Liar()] if hook in ("validate", "conditions") else Liar()
    with pytest.raises(PluginError, match='plugin "p0"'):
        CALLS[hook](load(plugin(**{hook: lambda: answer})))


def recursive() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["self"] = found
    return found


WRONG: list[tuple[str, Callable[[], Any], str]] = [
    ("validate", lambda: [Problem(5, "no")], "Problem.path is int, not str"),  # type: ignore[arg-type]
    ("validate", lambda: [Problem("spec", b"no")], "Problem.message is bytes, not str"),  # type: ignore[arg-type]
    ("merge_params", lambda: Params(env="X=1"), "Params.env is str, not tuple"),  # type: ignore[arg-type]
    ("merge_params", lambda: Params(env=({1: 2},)), "a key in Params.env[0] is int, not str"),  # type: ignore[dict-item]
    ("merge_params", lambda: Params(labels={"a": {1}}), "Params.labels.a is set, which JSON does not have"),
    ("pod_fragment", lambda: Fragment(labels="team"), "Fragment.labels is str, not Mapping"),  # type: ignore[arg-type]
    ("pod_fragment", lambda: Fragment(pod={"x": float("nan")}), "Fragment.pod.x is float, which JSON does not have"),
    ("pod_fragment", lambda: Fragment(pod=recursive()), "raised RecursionError"),
    ("status", lambda: Status(groups="abc"), "Status.groups is str, not tuple"),  # type: ignore[arg-type]
    ("status", lambda: Status(phase="failed"), "Status.phase is str, not Phase"),  # type: ignore[arg-type]
    ("status", lambda: Status(counts=None), "Status.counts is NoneType, not Counts"),  # type: ignore[arg-type]
    ("status", lambda: Status(start_time=datetime(2026, 1, 1)), "a time has no time zone"),
    (
        "conditions",
        lambda: [Condition(type="Odd", status="True", reason="Why")],  # type: ignore[arg-type]
        "Condition.status is str, not bool",
    ),
]


@pytest.mark.parametrize(("hook", "answer", "said"), WRONG)
def test_a_part_of_the_wrong_type(hook: str, answer: Callable[[], Any], said: str) -> None:
    """Named with its place, at once: not by whoever stumbles over it later."""
    with pytest.raises(PluginError) as caught:
        CALLS[hook](load(plugin(**{hook: lambda: answer()})))
    assert str(caught.value).startswith(f'plugin "p0" in jobsmgr_{hook}: ')
    assert str(caught.value).endswith(said) or said in str(caught.value)


def test_megabytes() -> None:
    """A problem of 100 MB becomes a message that can be stored."""
    huge = "x" * 100_000_000
    one = World(RAW, load(plugin(validate=lambda: [Problem(huge, huge, huge)]))).settle()
    assert one.conditions()["Failed"] == (True, "InvalidSpec")
    stored = one.stored().condition("Failed")
    assert stored is not None
    assert len(stored.message) < 10_000
    one = World(RAW, load(plugin(conditions=lambda: [Condition(type=huge, status=True, reason=huge)]))).settle()
    assert one.conditions()["Stalled"] == (True, "PluginError")
    with pytest.raises(PluginError, match='plugin "p0" in jobsmgr_merge_params: returned more than 2097152 characters'):
        load(plugin(merge_params=lambda: Params(annotations={"a": huge}))).merge_params(CONTEXT.layers)


def test_times_are_the_same_moments() -> None:
    """Whatever class a plugin keeps them in."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    late: Any = type("Late", (datetime,), {})(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    status = load(plugin(status=lambda: Status(start_time=late, phase=Phase.RUNNING))).status(SNAPSHOT)
    assert (status.start_time, type(status.start_time), status.phase) == (moment, datetime, Phase.RUNNING)


def test_a_subclass_is_taken_for_what_it_is() -> None:
    """What it has beyond its class is dropped."""
    mine = attrs.make_class("Mine", {"more": attrs.field(default=1)}, bases=(Fragment,), frozen=True, kw_only=True)
    hooks = load(plugin(pod_fragment=lambda: mine(labels={"team": "blue"})))
    assert dict(hooks.pod_fragments(CONTEXT))["p0"] == Fragment(labels={"team": "blue"})


@pytest.mark.parametrize("error", RAISED.values(), ids=RAISED)
def test_an_object_that_cannot_be_looked_at(error: Callable[[], BaseException]) -> None:
    """It stops the start, in one sentence."""

    class Plugin:
        @property
        def jobsmgr_validate(self) -> Any:
            raise error()

        @hookimpl
        def jobsmgr_conditions(self) -> Any:
            return ()

        __eq__ = no
        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(PluginError, match=r'^plugin "p0": from given in code '):
        load(Plugin())


def test_an_exception_in_words() -> None:
    """Its type, and its message if it has one."""
    assert described(LookupError("not there")) == "LookupError: not there"
    assert described(asyncio.CancelledError()) == "CancelledError"
    assert described(Mute()) == "an exception whose message cannot be shown"
    assert len(described(Long())) == LONGEST + 3
