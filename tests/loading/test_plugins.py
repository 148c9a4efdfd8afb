"""Which plugins are loaded, and which stop the start."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobsmgr import PluginError, hookimpl
from jobsmgr.loading.plugins import DEFAULT_PLUGINS, load_hooks
from tests.core.test_hooks import CALLS, load, nothing, plugin, wrapping


class TestLoading:
    """A plugin that does not fit stops the start."""

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (plugin(vaildate=nothing), "unknown hook 'jobsmgr_vaildate'"),
            (plugin(validate=lambda wokflow: []), "wokflow"),
            (
                type("Plugin", (), {"jobsmgr_validate": staticmethod(lambda workflow: [])}),
                "implements no hook of jobsmgr",
            ),
            (type("Plugin", (), {}), "implements no hook of jobsmgr; mark its hooks with @hookimpl"),
        ],
    )
    def test_what_fits_no_hook(self, given: Any, said: str) -> None:
        """An unknown hook, an unknown argument, none at all: with the plugin's name and where it comes from."""
        with pytest.raises(PluginError, match=said) as caught:
            load(given)
        assert str(caught.value).startswith('plugin "p0": from given in code ')

    def test_a_joined_hook_cannot_be_wrapped(self) -> None:
        """Each implementation is asked by itself; a wrapper would never be called."""

        def wrapper() -> Any:
            yield

        for hook in ("validate", "pod_fragment", "conditions", "transitioned", "lifespan"):
            with pytest.raises(PluginError, match="wraps a hook whose answers are joined; return an answer instead"):
                load(wrapping(hook, wrapper))

    def test_a_wrapper_of_the_old_way(self) -> None:
        """It would be handed something else than the hook's answer."""

        def wrapper() -> Any:
            yield

        old = type("Plugin", (), {"jobsmgr_status": staticmethod(hookimpl(hookwrapper=True)(wrapper))})
        with pytest.raises(PluginError, match=r"is an old-style hook wrapper; use @hookimpl\(wrapper=True\)"):
            load(old)

    @pytest.mark.parametrize("hook", CALLS)
    def test_only_observers_may_be_async(self, hook: str) -> None:
        """A coroutine would win before it has decided anything."""

        async def later() -> None:
            return None

        with pytest.raises(PluginError) as caught:
            load(plugin(**{hook: later}))
        assert str(caught.value) == (
            f'plugin "p0" in jobsmgr_{hook}: from given in code is async; only jobsmgr_transitioned may be'
        )
        load(plugin(transitioned=later))

    def test_the_same_name_twice(self) -> None:
        """A third party's plugin cannot pass for a built-in one."""
        with pytest.raises(PluginError, match='plugin "env": from given in code cannot be used'):
            load_hooks([("env", plugin(validate=nothing))], installed=False)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Distributions as an installer leaves them: modules and metadata on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, entry_points: dict[str, str], **modules: str) -> None:
        for module, text in modules.items():
            (tmp_path / f"{module}.py").write_text(text)
        info = tmp_path / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = "".join(f"{point} = {value}\n" for point, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[jobsmgr]\n{lines}")

    return install


GOOD = "from jobsmgr import hookimpl\n\n@hookimpl\ndef jobsmgr_validate(workflow):\n    return []\n"


class TestInstalled:
    """Plugins are found through the entry-point group `jobsmgr`."""

    def test_sorted_by_name(self, installed: Callable[..., None]) -> None:
        """Whatever the distributions are called and in which order they were installed."""
        installed("zeta", {"alpha-of-zeta": "zeta_module"}, zeta_module=GOOD)
        installed("alpha", {"omega": "alpha_module", "beta": "alpha_other"}, alpha_module=GOOD, alpha_other=GOOD)
        hooks = load_hooks()
        assert [name for name in hooks.origins if name not in DEFAULT_PLUGINS] == [
            "alpha-of-zeta",
            "beta",
            "omega",
        ]
        assert hooks.origins["omega"] == "alpha 1.2"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("import nowhere_to_be_found\n", "cannot be loaded from broken 1.2: ModuleNotFoundError"),
            ("1 / 0\n", "cannot be loaded from broken 1.2: ZeroDivisionError"),
            (GOOD.replace("validate", "vaildate"), "from broken 1.2 cannot be used: unknown hook"),
            ("", "from broken 1.2 implements no hook"),
        ],
    )
    def test_one_that_cannot_be_loaded_stops_the_start(
        self, installed: Callable[..., None], text: str, said: str, request: pytest.FixtureRequest
    ) -> None:
        """With the name of its distribution, and what to do."""
        module = f"broken_{abs(hash(text))}"
        installed("broken", {"broken": module}, **{module: text})
        with pytest.raises(PluginError, match=said) as caught:
            load_hooks()
        assert caught.value.plugin == "broken"

    def test_not_asked_for_where_a_test_wants_none(self, installed: Callable[..., None]) -> None:
        """`installed=False` is the built-in ones alone."""
        installed("other", {"other": "other_module"}, other_module=GOOD)
        assert list(load_hooks(installed=False).origins) == list(DEFAULT_PLUGINS)
        assert importlib.metadata.version("other") == "1.2"
