"""What a spec said when it was looked at last."""

from jobsmgr.engine.memory.written import Written

SPEC = {"groups": [{"name": "g"}], "retries": 1}


def test_the_time_to_live_alone_is_no_other_spec() -> None:
    """However it was edited; whatever else was edited is."""
    first = Written().read(1, SPEC)
    assert first.is_kept_by(first.read(2, {**SPEC, "ttlSecondsAfterFinished": 5}))
    assert first.is_kept_by(first.read(2, {"retries": 1, "groups": [{"name": "g"}]}))
    assert not first.is_kept_by(first.read(2, {**SPEC, "ttlSecondsAfterFinished": 5, "retries": 2}))


def test_what_was_never_read_is_not_known() -> None:
    """And one generation is read once."""
    first = Written().read(1, SPEC)
    assert not Written().is_kept_by(first)
    assert first.read(1, {}) is first
    assert not first.is_kept_by(first)
