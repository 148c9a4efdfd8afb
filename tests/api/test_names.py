"""Names of Jobs, labels and containers: deterministic, short enough, never shared within a workflow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import JobKey
from jobsmgr.api.names import MAX_NAME, container_name, job_names, label_value, plain_name

LABEL = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?\Z")
WORKFLOW = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?){0,5}\Z")
KEYS = st.lists(st.builds(JobKey, LABEL, LABEL), unique=True, max_size=12)
CLOSE = st.text("a-", min_size=1, max_size=5).filter(lambda text: text[0] != "-" != text[-1])
CLOSE_KEYS = st.lists(st.builds(JobKey, CLOSE, CLOSE), unique=True, max_size=12)


def names(workflow: str, *paths: str) -> list[str]:
    """Job names of jobs given as `group/job`."""
    return list(job_names(workflow, [JobKey(*path.split("/")) for path in paths]).values())


def test_the_plain_join() -> None:
    """As the Go operator builds it."""
    assert names("managedjob-sample", "first-group/first-job") == ["managedjob-sample-first-group-first-job"]
    assert plain_name("My-Flow", JobKey("g", "j")) == "my-flow-g-j"


def test_63_characters_stay_plain() -> None:
    """The limit itself is fine."""
    (name,) = names("w" * 20, f"{'g' * 20}/{'j' * 21}")
    assert name == f"{'w' * 20}-{'g' * 20}-{'j' * 21}"
    assert len(name) == MAX_NAME


def test_longer_ones_are_cut_and_hashed() -> None:
    """A prefix that a person recognises, and a hash of the path."""
    (name,) = names("w" * 20, f"{'g' * 20}/{'j' * 22}")
    assert len(name) == MAX_NAME
    assert re.fullmatch(rf"{'w' * 20}-{'g' * 20}-j{{10}}-[0-9a-f]{{10}}", name)


def test_the_hash_is_of_the_path() -> None:
    """Two names that are cut to the same prefix differ; the same path gives the same name in every process."""
    first, second = names("w" * 60, "group/one", "group/two")
    assert first != second
    assert names("w" * 60, "group/one") == [first] == ["w" * 52 + "-ba11d3ebb3"]


def test_colliding_joins_are_both_hashed() -> None:
    """`a-b` + `c` and `a` + `b-c` have the same join; a third job keeps its plain name."""
    first, second, third = names("wf", "a-b/c", "a/b-c", "a/d")
    assert first.startswith("wf-a-b-c-")
    assert second.startswith("wf-a-b-c-")
    assert first != second
    assert third == "wf-a-d"


def test_a_cut_never_ends_in_a_dash_or_a_dot() -> None:
    """What remains of the prefix is a name of its own."""
    for end in ("-", "."):
        (name,) = names(f"{'w' * 51}{end}x{'y' * 10}", "group/job")
        assert re.fullmatch(r"w{51}-[0-9a-f]{10}", name)


@given(WORKFLOW, KEYS)
def test_every_name_is_one_that_kubernetes_takes(workflow: str, keys: list[JobKey]) -> None:
    """A DNS subdomain of at most 63 characters; the container's is a DNS label."""
    for name in job_names(workflow, keys).values():
        assert len(name) <= MAX_NAME
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name)
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", container_name(name))


@given(WORKFLOW, CLOSE_KEYS)
def test_two_keys_never_share_a_name(workflow: str, keys: list[JobKey]) -> None:
    """However alike they are."""
    found = job_names(workflow, keys)
    assert list(found) == keys
    assert len(set(found.values())) == len(keys)


@given(WORKFLOW, KEYS, st.randoms())
def test_a_name_depends_on_no_order(workflow: str, keys: list[JobKey], random: object) -> None:
    """Moving jobs about renames none of them."""
    moved = list(keys)
    random.shuffle(moved)  # type: ignore[attr-defined]
    assert job_names(workflow, moved) == job_names(workflow, keys)


@pytest.mark.parametrize(("text", "size"), [("short", 5), ("x" * 63, 63), ("x" * 64, 63), ("y" * 253, 63)])
def test_label_values_are_shortened_the_same_way(text: str, size: int) -> None:
    """Itself if it fits."""
    value = label_value(text)
    assert len(value) == size
    assert (value == text) == (len(text) <= MAX_NAME)


def test_a_dot_in_a_containers_name_becomes_a_dash() -> None:
    """Workflows may have dots in their names, containers not."""
    assert container_name("etl.v2-g-j") == "etl-v2-g-j"
