"""The container: image, entrypoint, resources, and the pod's fields that go straight through."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Fragment
from jobsmgr.api.errors import quoted
from jobsmgr.api.syntax import parse_quantity
from tests.plugins.pods import at_each_level, fragment, problems, workflow


def test_the_least() -> None:
    """Named as its Job; policies have our defaults, not Kubernetes'."""
    assert fragment("container") == Fragment(
        container={
            "name": "wf-g-a",
            "image": "busybox",
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePolicy": "FallbackToLogsOnError",
        },
        pod={"restartPolicy": "Never"},
    )


def test_everything() -> None:
    """Each parameter at its place in Container and PodSpec."""
    params = {
        "resources": {"limits": {"cpu": "1"}},
        "securityContext": {"runAsUser": 5},
        "imagePullPolicy": "Always",
        "restartPolicy": "OnFailure",
        "nodeSelector": {"arch": "arm64"},
        "tolerations": [{"key": "spot"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "low",
        "podSecurityContext": {"fsGroup": 7},
    }
    found = fragment("container", params, command=["sh", "-c"], args=["echo"], workingDir="/work")
    assert found.container == {
        "name": "wf-g-a",
        "image": "busybox",
        "command": ["sh", "-c"],
        "args": ["echo"],
        "workingDir": "/work",
        "imagePullPolicy": "Always",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"limits": {"cpu": "1"}},
        "securityContext": {"runAsUser": 5},
    }
    assert found.pod == {
        "restartPolicy": "OnFailure",
        "nodeSelector": {"arch": "arm64"},
        "tolerations": [{"key": "spot"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "low",
        "securityContext": {"fsGroup": 7},
    }


def test_a_dot_in_the_workflows_name() -> None:
    """Becomes a dash: a container's name is a DNS label."""
    assert fragment("container", name="etl.v2").container["name"] == "etl-v2-g-a"


class TestQuantities:
    """What Kubernetes reads as a resource.Quantity."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1", "1"),
            ("500m", "0.5"),
            ("1.5Gi", "1610612736"),
            ("128Mi", "134217728"),
            ("1e3", "1000"),
            ("1E3", "1000"),
            ("2E", "2000000000000000000"),
            ("1Ei", "1152921504606846976"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+1", "1"),
            ("-1", "-1"),
            ("100n", "0.0000001"),
            ("3k", "3000"),
            (2, "2"),
            (0.5, "0.5"),
        ],
    )
    def test_good_ones(self, text: Any, value: str) -> None:
        """Decimal and binary suffixes, exponents, numbers."""
        assert parse_quantity(text) == Decimal(value)

    @pytest.mark.parametrize("text", ["", "1 core", "1K", "1mi", "Mi", "1e", "1e3Mi", "one", None, True, "1,5"])
    def test_bad_ones(self, text: Any) -> None:
        """Refused by Kubernetes too."""
        assert parse_quantity(text) is None

    @given(st.integers(0, 10**9), st.sampled_from(["", "m", "k", "Ki", "M", "Mi"]))
    def test_more_is_more(self, number: int, suffix: str) -> None:
        """With the same suffix the number decides."""
        less, more = parse_quantity(f"{number}{suffix}"), parse_quantity(f"{number + 1}{suffix}")
        assert less is not None
        assert more is not None
        assert less < more


class TestProblems:
    """What would be refused later."""

    def test_no_quantity(self) -> None:
        """At whichever level it stands."""
        told = 'resources.limits[memory]: "lots" is not a valid quantity; write it like 500m, 2, 128Mi or 1.5Gi'
        assert at_each_level("container", {"resources": {"limits": {"memory": "lots"}}}) == [[told]] * 3

    def test_a_request_above_the_limit_of_another_level(self) -> None:
        """Only merged they contradict each other: both levels are named."""
        raw = workflow({"resources": {"limits": {"cpu": "500m"}}}, None, {"resources": {"requests": {"cpu": 2}}})
        assert problems("container", raw) == [
            'spec.groups[0].jobs[0].params.resources.requests[cpu]: "2" is above the limit "500m" at '
            "spec.params.resources.limits[cpu]; lower one of them"
        ]

    def test_an_inner_limit_that_makes_room(self) -> None:
        """What counts is the merged value."""
        raw = workflow(
            {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "2"}}}
        )
        assert problems("container", raw) == []

    def test_told_once_for_all_jobs(self) -> None:
        """An outer level's mistake is one, however many jobs it reaches."""
        raw = workflow({"resources": {"limits": {"cpu": "x"}}})
        raw["spec"]["groups"][0]["jobs"] *= 1
        raw["spec"]["groups"][0]["jobs"] += [{"name": "b", "image": "x"}, {"name": "c", "image": "x"}]
        assert len(problems("container", raw)) == 1

    @pytest.mark.parametrize("part", ["limits", "requests"])
    @pytest.mark.parametrize("value", ["x", 5, ["cpu"]])
    def test_a_part_of_another_shape(self, part: str, value: Any) -> None:
        """An object that no schema has checked: told, not raised."""
        told = f"resources.{part}: expected an object of quantities by resource, found {quoted(value)}"
        assert at_each_level("container", {"resources": {part: value}}) == [[told]] * 3

    def test_a_null_part(self) -> None:
        """Is none."""
        assert problems("container", workflow({"resources": {"limits": None}})) == []
