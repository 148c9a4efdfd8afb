"""Argo CD's scripts, run as Argo CD runs them: Lua 5.1 with the libraries that it opens.

What is opened is in its `util/lua/lua.go`: base, package, table, and of `os` the time. Nothing of jobsmgr is imported.
"""

from collections.abc import Callable
from typing import Any

import lupa.lua51
import yaml

from tests.plane.access import ROOT

FILE = ROOT / "manifests" / "integrations" / "argocd-cm.yaml"
_KIND = "jobsmanager.raczylo.com_ManagedJob"

_SANDBOX = """
debug.setmetatable("", nil)
local clock = { date = os.date, time = os.time }
os = nil
for _, name in ipairs({ "string", "math", "io", "debug", "coroutine", "python", "jit", "bit" }) do
  _G[name] = nil
  package.loaded[name] = nil
end
package.loaded.os = clock
package.loaders = {}
"""

Manifest = dict[str, Any]


def settings() -> dict[str, Any]:
    """What is added to Argo CD's configuration."""
    data: dict[str, Any] = yaml.safe_load(FILE.read_text())["data"]
    return data


def health(managed_job: Manifest) -> dict[str, str]:
    """What Argo CD shows of an object."""
    shown: dict[str, str] = execute(settings()[f"resource.customizations.health.{_KIND}"], managed_job)
    return shown


def offered(managed_job: Manifest) -> set[str]:
    """The actions that can be chosen for an object."""
    found = execute(_actions()["discovery.lua"], managed_job)
    assert found.keys() == set(_definitions())
    return {name for name, action in found.items() if not action.get("disabled", False)}


def act(name: str, managed_job: Manifest) -> Manifest:
    """The object that Argo CD stores when an action is chosen."""
    changed: Manifest = execute(_definitions()[name], managed_job)
    return changed


def _actions() -> dict[str, Any]:
    actions: dict[str, Any] = yaml.safe_load(settings()[f"resource.customizations.actions.{_KIND}"])
    return actions


def _definitions() -> dict[str, str]:
    return {one["name"]: one["action.lua"] for one in _actions()["definitions"]}


def execute(script: str, managed_job: Manifest) -> Any:
    """What a script returns for an object, as JSON."""
    lua = lupa.lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(_SANDBOX)
    lua.globals().obj = _to_lua(lua.table_from, managed_job)
    return _from_lua(lua.execute(script), managed_job)


def _to_lua(table: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return table({key: _to_lua(table, inner) for key, inner in value.items()})
    if isinstance(value, list):
        return table([_to_lua(table, inner) for inner in value])
    return value


def _from_lua(value: Any, was: Any) -> Any:
    """An empty table is a list in Argo CD's eyes, unless the object had a map there."""
    if lupa.lua51.lua_type(value) != "table":
        return value
    if not list(value):
        return {} if isinstance(was, dict) else []
    if set(value) == set(range(1, len(list(value)) + 1)):
        olds = was if isinstance(was, list) else []
        return [_from_lua(value[place], olds[place - 1] if place <= len(olds) else None) for place in sorted(value)]
    return {key: _from_lua(inner, was.get(key) if isinstance(was, dict) else None) for key, inner in value.items()}
