"""How a process was started, as plugins see it. Nothing is read from the environment here."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Settings:
    """What `jobsmgr_lifespan` is given: the command that runs (`operator`, `run`) and who this process is."""

    command: str
    identity: str
    namespaces: tuple[str, ...] = ()
    """Namespaces that are watched; empty: all."""
