"""The typed face of the hooks: who is asked in which order, what answers are taken, who is blamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from jobsmgr import Condition, Fragment, Params, Phase, PluginError, Problem, Settings, Status, hookimpl
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import make_plan
from jobsmgr.core.rendering import render_job
from jobsmgr.loading.plugins import DEFAULT_PLUGINS, load_hooks
from tests.core.world import HOOKS, World, group, key, manifest

RAW = manifest(group("g", "a", "b"))
WORKFLOW = parse_workflow(RAW)
CONTEXT = make_plan(RAW, HOOKS).context(key("g/a"))
SNAPSHOT = World(RAW).snapshot()


def plugin(**hooks: Callable[..., Any]) -> Any:
    """A plugin of these functions, by hook without the prefix."""
    marked = {f"jobsmgr_{name}": staticmethod(hookimpl(function)) for name, function in hooks.items()}
    return type("Plugin", (), marked)


def nothing() -> list[Any]:
    return []


def wrapping(name: str, function: Callable[..., Any]) -> Any:
    return type("Plugin", (), {f"jobsmgr_{name}": staticmethod(hookimpl(wrapper=True)(function))})


def load(*plugins: Any) -> Hooks:
    """The built-in plugins and these, named p0, p1, ..."""
    return load_hooks([(f"p{number}", one) for number, one in enumerate(plugins)], installed=False)


class TestOrder:
    """Built-ins are registered first, others after them."""

    def test_built_ins_first(self) -> None:
        """In the order of the table, then those given in code."""
        hooks = load(plugin(validate=nothing), plugin(validate=nothing))
        assert list(hooks.origins) == [*DEFAULT_PLUGINS, "p0", "p1"]
        assert hooks.origins["env"] == "jobsmgr"
        assert hooks.origins["p0"] == "given in code"

    def test_a_third_partys_first_answer_stands_before_the_built_in_one(self) -> None:
        """pluggy asks the last registered first."""
        mine, yours = Params(service_account="mine"), Params(service_account="yours")
        assert load(plugin(merge_params=lambda: mine)).merge_params(CONTEXT.layers) == mine
        both = load(plugin(merge_params=lambda: mine), plugin(merge_params=lambda: yours))
        assert both.merge_params(CONTEXT.layers) == yours

    def test_none_is_no_answer(self) -> None:
        """The next one is asked."""
        hooks = load(plugin(merge_params=lambda: None, select_jobs=lambda: None, status=lambda: None))
        assert hooks.merge_params(CONTEXT.layers) == HOOKS.merge_params(CONTEXT.layers)
        assert hooks.select_jobs(SNAPSHOT, (key("g/a"),)) == (key("g/a"),)
        assert hooks.status(SNAPSHOT) == HOOKS.status(SNAPSHOT)

    def test_wrappers_change_the_answer(self) -> None:
        """Of whoever gave it."""

        def limit(ready: Any) -> Any:
            chosen = yield
            return chosen[:1]

        ready = (key("g/a"), key("g/b"))
        assert load(wrapping("select_jobs", limit)).select_jobs(SNAPSHOT, ready) == (key("g/a"),)

    def test_joined_answers_in_order_of_registration(self) -> None:
        """Each fragment with its plugin's name, built-ins first."""
        hooks = load(plugin(pod_fragment=lambda: Fragment(labels={"a": "b"})), plugin(pod_fragment=lambda: None))
        names = [name for name, _ in hooks.pod_fragments(CONTEXT)]
        assert names == [
            *("container", "env", "env_from", "volumes", "service_account", "pull_secrets", "labels", "annotations"),
            "p0",
        ]

    def test_a_plugin_takes_the_arguments_it_needs(self) -> None:
        """All, some or none of them, joined or first-answer."""
        found: list[Any] = []

        def manifest_of(job: Any) -> None:
            found.append(job.name)

        hooks = load(plugin(job_manifest=manifest_of, conditions=nothing, validate=lambda workflow: []))
        hooks.conditions(SNAPSHOT)
        hooks.validate(WORKFLOW)
        World(RAW, hooks).settle()
        assert found == ["wf-g-a"]

    def test_what_a_plugin_implements(self) -> None:
        """By name, for `jobsmgr plugins`."""
        assert HOOKS.implemented("env") == ("jobsmgr_pod_fragment", "jobsmgr_validate")


def raising(*_: Any) -> Any:
    raise LookupError("not there")


async def later() -> Any:
    return None


CALLS: dict[str, Callable[[Hooks], Any]] = {
    "validate": lambda hooks: hooks.validate(WORKFLOW),
    "merge_params": lambda hooks: hooks.merge_params(CONTEXT.layers),
    "pod_fragment": lambda hooks: hooks.pod_fragments(CONTEXT),
    "job_manifest": lambda hooks: World(RAW, hooks).settle(),
    "select_jobs": lambda hooks: hooks.select_jobs(SNAPSHOT, (key("g/a"),)),
    "status": lambda hooks: hooks.status(SNAPSHOT),
    "conditions": lambda hooks: hooks.conditions(SNAPSHOT),
    "lifespan": lambda hooks: hooks.lifespans(Settings(command="run", identity="me")),
}
DECIDING = [name for name in CALLS if name not in ("job_manifest",)]


class TestFailures:
    """Whatever goes wrong in a plugin has the plugin's name on it."""

    @pytest.mark.parametrize("hook", DECIDING)
    def test_one_that_raises_is_named(self, hook: str) -> None:
        """With the hook and what it raised."""
        hooks = load(plugin(**{hook: lambda: raising()}), plugin(validate=nothing))
        with pytest.raises(PluginError) as caught:
            CALLS[hook](hooks)
        assert str(caught.value) == f'plugin "p0" in jobsmgr_{hook}: raised LookupError: not there'
        assert (caught.value.plugin, caught.value.hook) == ("p0", f"jobsmgr_{hook}")

    @pytest.mark.parametrize("hook", DECIDING)
    def test_a_wrong_answer_is_named(self, hook: str) -> None:
        """Answers are checked, so that rubbish does not travel."""
        wrong = {"validate": ["x"], "conditions": [{"type": "X"}]}.get(hook, 5)
        with pytest.raises(PluginError, match=rf'plugin "p0" in jobsmgr_{hook}: returned \w+, not \w+'):
            CALLS[hook](load(plugin(**{hook: lambda: wrong})))

    @pytest.mark.parametrize("hook", ["validate", "conditions"])
    def test_a_list_is_expected_where_answers_are_joined(self, hook: str) -> None:
        """A number cannot be joined to anything."""
        with pytest.raises(PluginError, match='plugin "p0"'):
            CALLS[hook](load(plugin(**{hook: lambda: 5})))

    def test_a_coroutine_in_place_of_an_answer_is_named(self) -> None:
        """From a plain function that calls an asynchronous one."""
        with pytest.raises(PluginError, match='plugin "p0" in jobsmgr_status: returned coroutine, not Status'):
            load(plugin(status=lambda: later())).status(SNAPSHOT)

    def test_a_wrapper_that_raises_is_named(self) -> None:
        """Not the plugin that it wraps."""

        def broken(ready: Any) -> Any:
            yield
            raise LookupError("not there")

        hooks = load(wrapping("select_jobs", broken), plugin(select_jobs=lambda ready: ready))
        with pytest.raises(PluginError, match='plugin "p0" in jobsmgr_select_jobs: raised LookupError'):
            hooks.select_jobs(SNAPSHOT, (key("g/a"),))

    @pytest.mark.parametrize("guilty", [0, 1])
    @pytest.mark.parametrize("hook", ["merge_params", "job_manifest", "select_jobs", "status"])
    def test_of_two_wrappers_the_one_that_answers_wrong_is_named(self, hook: str, guilty: int) -> None:
        """Whoever of them is registered first."""

        def innocent() -> Any:
            return (yield)

        def wrong() -> Any:
            yield
            return {}

        hooks = load(*(wrapping(hook, wrong if place == guilty else innocent) for place in range(2)))
        calls = {**CALLS, "job_manifest": lambda hooks: render_job(CONTEXT, hooks)}
        with pytest.raises(PluginError) as caught:
            calls[hook](hooks)  # type: ignore[no-untyped-call]
        assert (caught.value.plugin, caught.value.hook) == (f"p{guilty}", f"jobsmgr_{hook}")

    def test_a_wrapper_hears_of_what_it_wraps(self) -> None:
        """It may answer instead; what it raises itself is its own."""

        def instead() -> Any:
            try:
                return (yield)
            except PluginError as error:
                return (key("g/b"),) if error.plugin == "p0" else ()

        def another() -> Any:
            try:
                return (yield)
            except PluginError as error:
                raise LookupError(error.plugin) from error

        bad, ready = plugin(select_jobs=lambda: raising()), (key("g/a"), key("g/b"))
        assert load(bad, wrapping("select_jobs", instead)).select_jobs(SNAPSHOT, ready) == (key("g/b"),)
        with pytest.raises(PluginError, match='plugin "p1" in jobsmgr_select_jobs: raised LookupError: p0'):
            load(bad, wrapping("select_jobs", another)).select_jobs(SNAPSHOT, ready)

    @pytest.mark.parametrize("text", ["yields more than once", "is a wrapper without a yield"])
    def test_a_wrapper_that_yields_twice_or_never(self, text: str) -> None:
        """Is named."""

        def wrapper() -> Any:
            if "without" in text:
                return ()
            yield
            yield

        with pytest.raises(PluginError, match=f'plugin "p0" in jobsmgr_select_jobs: {text}'):
            load(wrapping("select_jobs", wrapper)).select_jobs(SNAPSHOT, (key("g/a"),))

    def test_a_plugin_that_fails_deep_down_is_named(self) -> None:
        """Whose function is on the stack, however far the error came from."""
        hooks = load(plugin(status=lambda: raising(1)), plugin(status=lambda: None))
        with pytest.raises(PluginError, match='plugin "p0"'):
            hooks.status(SNAPSHOT)

    @pytest.mark.parametrize(
        "chosen",
        [(key("g/a"), key("g/a")), (key("g/zzz"),), ("g/a",), (key("g/a"), key("g/b"))],
    )
    def test_only_ready_jobs_may_be_selected(self, chosen: Any) -> None:
        """Each once: readiness is not a plugin's to say."""
        with pytest.raises(PluginError, match="returned jobs that are not ready, or the same job twice"):
            load(plugin(select_jobs=lambda: chosen)).select_jobs(SNAPSHOT, (key("g/a"),))

    def test_a_condition_given_twice_names_both(self) -> None:
        """A type belongs to one plugin."""
        twice = Condition(type="Failed", status=True, reason="Mine")
        with pytest.raises(PluginError) as caught:
            load(plugin(conditions=lambda: [twice])).conditions(SNAPSHOT)
        assert str(caught.value) == (
            'plugin "p0" in jobsmgr_conditions: returned condition "Failed", which plugin "conditions" has'
            " returned already"
        )


class TestAnswers:
    """What well-behaved plugins add."""

    def test_problems_of_all_are_joined(self) -> None:
        """In order of registration; an answer of None adds nothing."""
        one = Problem("spec", "no budget", "TEAM1")
        hooks = load(plugin(validate=lambda: iter([one])), plugin(validate=lambda: None))
        assert hooks.validate(WORKFLOW) == (one,)

    def test_a_plugins_own_condition(self) -> None:
        """Stands beside the six, with its transition time set by the core."""
        budget = Condition(type="Budgeted", status=True, reason="Granted")
        one = World(RAW, load(plugin(conditions=lambda: [budget]))).settle()
        stored = one.stored().condition("Budgeted")
        assert stored is not None
        assert (len(one.conditions()), stored.reason) == (7, "Granted")
        assert stored.last_transition_time is not None

    def test_a_status_of_ones_own(self) -> None:
        """First answer wins; the conditions follow it."""
        mine = Status(observed_generation=1, phase=Phase.ABORTED)
        one = World(RAW, load(plugin(status=lambda: mine))).step()
        assert one.conditions()["Failed"] == (True, "Aborted")

    def test_lifespans(self) -> None:
        """Context managers with their plugins' names; None gives none."""

        @asynccontextmanager
        async def connected(settings: Settings) -> AsyncGenerator[None, None]:
            yield

        hooks = load(plugin(lifespan=lambda settings: connected(settings)), plugin(lifespan=lambda: None))
        assert [name for name, _ in hooks.lifespans(Settings(command="run", identity="me"))] == ["p0"]

    def test_observers_by_name(self) -> None:
        """To be called by whoever isolates them."""
        told: list[Any] = []
        first, second = (lambda transition: told.append(transition)), (lambda: told.append("none"))
        hooks = load(plugin(transitioned=first), plugin(transitioned=second))
        for _, observer in hooks.observers():
            observer(transition="t")
        assert ([name for name, _ in hooks.observers()], told) == (["p0", "p1"], ["t", "none"])


def test_arguments_are_frozen() -> None:
    """A plugin cannot change what others are told."""
    for value, field in ((SNAPSHOT, "now"), (CONTEXT, "name"), (WORKFLOW, "uid"), (CONTEXT.params, "env")):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, field, None)
