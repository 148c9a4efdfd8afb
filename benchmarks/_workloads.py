"""The workflows that a benchmark runs. No I/O but reading the sample."""

from typing import Any

import attrs
import yaml

from tests.e2e.shapes import SEED, Spec, chain, fan, waves


@attrs.frozen
class Workload:
    """Workflows that are started together, over and over."""

    name: str
    specs: tuple[Spec, ...]
    rounds: int
    """How often each arm runs it."""

    @property
    def jobs(self) -> int:
        """Jobs of one round."""
        return sum(len(group["jobs"]) for spec in self.specs for group in spec["groups"])


def _seed() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(SEED.read_text())["spec"]
    return spec


SHORT = (Workload("chain of 20", (chain(20),), 8), Workload("chain of 50", (chain(50),), 6))
"""Run by default; about a minute."""

LONG = (
    Workload("64 groups of one job", (waves([1] * 64),), 4),
    Workload("fan-out of 1,000", (fan(1000),), 2),
    Workload("200 seed workflows", (_seed(),) * 200, 2),
)
"""Run with `--full`. A workflow has at most 64 groups."""
