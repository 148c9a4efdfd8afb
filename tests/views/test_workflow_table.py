"""The table of `list`: columns that fit what is in them, whatever that is."""

import re

import attrs
from rich.cells import cell_len

from jobsmgr.api.status import Phase
from jobsmgr.views.durations import age
from jobsmgr.views.palette import Palette
from jobsmgr.views.workflow_table import Row, Table

ROW = Row(
    namespace="ns",
    name="etl",
    phase=Phase.RUNNING,
    progress="1/3",
    running=1,
    failed=0,
    reason="",
    message="",
    seconds=61.0,
    age=125.0,
)


def lines(*rows: Row, columns: int | None = None, wide: bool = False) -> list[str]:
    return list(Table(Palette(), namespaces=wide, wide=wide, columns=columns).lines(rows, heading=True))


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    """Counted in cells of a terminal; what could move its cursor is written out."""
    head, first, second = lines(ROW, attrs.evolve(ROW, name="日本\x1b", reason="QuotaExceeded"))
    assert head == "NAME       STATUS    PROGRESS   RUNNING   FAILED   REASON          DURATION   AGE"
    assert first == "etl        running   1/3        1         0        -               1m01s      2m5s"
    assert second.startswith("日本\\x1b   running")
    assert cell_len(second) == cell_len(first)


def test_a_message_takes_what_is_left() -> None:
    """It is cut on a terminal alone."""
    long = attrs.evolve(ROW, message="no room " * 40)
    for columns in (80, 120):
        assert max(map(cell_len, lines(long, wide=True, columns=columns))) <= max(columns, 97)
    assert lines(long, wide=True)[1].endswith("no room")


def test_a_cut_is_marked_where_something_is_cut() -> None:
    """Neither a short message on a narrow terminal, nor half of a character that is written out."""
    assert lines(attrs.evolve(ROW, message="short"), wide=True, columns=20)[1].endswith("  short")
    shown = {
        lines(attrs.evolve(ROW, message="x" * 8 + "\x1b" * 4), wide=True, columns=used)[1] for used in range(40, 97)
    }
    cut = {line.rpartition("   ")[2] for line in shown if line.endswith("…")}
    assert cut >= {"xxxxxxxx…"}
    assert all(re.fullmatch(r"x{8}(\\x1b)*…", message) for message in cut)


def test_columns_are_left_out_where_they_do_not_fit() -> None:
    """What is more than a name and where it stands, one column after another; never where nobody looks on."""
    row = attrs.evolve(ROW, name="nightly-etl", reason="QuotaExceeded")
    assert {columns: lines(row, columns=columns) for columns in (120, 80, 60, 40, 10)} == {
        120: [
            "NAME          STATUS    PROGRESS   RUNNING   FAILED   REASON          DURATION   AGE",
            "nightly-etl   running   1/3        1         0        QuotaExceeded   1m01s      2m5s",
        ],
        80: [
            "NAME          STATUS    PROGRESS   FAILED   REASON          DURATION   AGE",
            "nightly-etl   running   1/3        0        QuotaExceeded   1m01s      2m5s",
        ],
        60: [
            "NAME          STATUS    PROGRESS   REASON          AGE",
            "nightly-etl   running   1/3        QuotaExceeded   2m5s",
        ],
        40: [
            "NAME          STATUS    PROGRESS   AGE",
            "nightly-etl   running   1/3        2m5s",
        ],
        10: [
            "NAME          STATUS    AGE",
            "nightly-etl   running   2m5s",
        ],
    }
    assert lines(row) == lines(row, columns=120)


def test_an_age_is_the_rougher_the_longer() -> None:
    """As kubectl shows it (`duration.HumanDuration` of apimachinery)."""
    shown = [age(seconds) for seconds in (0, 119, 120, 312, 600, 10799, 10800, 19200, 28800, 172799, 172800, 8 * 86400)]
    assert shown == ["0s", "119s", "2m", "5m12s", "10m", "179m", "3h", "5h20m", "8h", "47h", "2d", "8d"]
