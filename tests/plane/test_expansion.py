"""The second opinion on order and parameters, on the founding workflow."""

from typing import Any

from tests.plane import expansion


def env(**values: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


SEED: dict[str, Any] = {
    "params": env(FOO="bar", QUE="pasa"),
    "groups": [
        {
            "name": "first-group",
            "parallel": True,
            "params": env(FEE="bee"),
            "jobs": [
                {"name": "first-job", "image": "busybox", "params": env(POO="paz")},
                {"name": "second-job", "image": "busybox"},
                {"name": "second-half-job", "image": "busybox"},
            ],
        },
        {
            "name": "second-group",
            "parallel": True,
            "jobs": [
                {"name": "third-job", "image": "busybox", "parallel": True},
                {"name": "fourth-job", "image": "busybox", "parallel": False},
            ],
        },
        {"name": "third-group", "jobs": [{"name": "fifth-job", "image": "busybox", "parallel": True}]},
    ],
}


def test_the_seed_workflow_waits_as_drawn() -> None:
    """The tree of the founding document, its group edges spelled out job by job."""
    first = [("first-group", name) for name in ("first-job", "second-job", "second-half-job")]
    second = [("second-group", name) for name in ("third-job", "fourth-job")]
    assert expansion.dependencies("managedjob-sample", SEED) == {
        first[0]: set(),
        first[1]: {first[0]},
        first[2]: {first[0], first[1]},
        second[0]: set(),
        second[1]: {second[0]},
        ("third-group", "fifth-job"): {*first, *second},
    }


def test_names_resolve_in_every_form() -> None:
    """A short name, group/job, the full name, and a group's name."""
    spec = {
        "groups": [
            {"name": "a", "parallel": True, "jobs": [{"name": "x", "parallel": True}, {"name": "y", "parallel": True}]},
            {"name": "b", "parallel": True, "dependencies": [{"name": "a"}], "jobs": [{"name": "x"}]},
            {
                "name": "c",
                "parallel": True,
                "jobs": [{"name": "z", "dependencies": [{"name": "a/x"}, {"name": "flow-b-x"}]}],
            },
            {"name": "d", "parallel": True, "jobs": [{"name": "p"}, {"name": "q", "parallel": True}]},
        ]
    }
    spec["groups"][3]["jobs"][0]["dependencies"] = [{"name": "q"}]  # type: ignore[index]
    found = expansion.dependencies("flow", spec)
    assert found["b", "x"] == {("a", "x"), ("a", "y")}
    assert found["c", "z"] == {("a", "x"), ("b", "x")}
    assert found["d", "p"] == {("d", "q")}


def test_env_keeps_the_outer_place_and_the_inner_value() -> None:
    """POO comes last: an inner value may refer to an outer name."""
    assert expansion.environment(SEED, ("first-group", "first-job")) == [
        {"name": "FOO", "value": "bar"},
        {"name": "QUE", "value": "pasa"},
        {"name": "FEE", "value": "bee"},
        {"name": "POO", "value": "paz"},
    ]
    override = {**SEED, "params": env(POO="outer", QUE="pasa")}
    names = [entry["name"] for entry in expansion.environment(override, ("first-group", "first-job"))]
    assert names == ["POO", "QUE", "FEE"]
    assert expansion.environment(override, ("first-group", "first-job"))[0]["value"] == "paz"


def test_a_single_key_becomes_an_env_entry() -> None:
    """The founding document's fromEnv with key."""
    spec = {
        "params": {"fromEnv": [{"configMapRef": {"name": "words"}, "key": "HELLO"}]},
        "groups": [{"name": "g", "jobs": [{"name": "j", "image": "busybox"}]}],
    }
    assert expansion.environment(spec, ("g", "j")) == [
        {"name": "HELLO", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "HELLO"}}}
    ]
