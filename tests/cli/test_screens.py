"""What is replaced on screens that are kept is what differs each time, and nothing else."""

import pytest

from tests.cli.screens import steady


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("wf  running  2/4 ━━──  1m02s", "wf  running  2/4 ━━── TIME"),
        ("├─ extract        0s         1m          2m32s", "├─ extract        SCALE"),
        ("│  └─ ✔ orders  succeeded     41s  ██··········", "│  └─ ✔ orders  succeeded    TIME  ▒▒▒▒▒▒▒▒▒▒▒▒"),
        (
            "   └─ ○ c  pending         -  ············  waits for a",
            "   └─ ○ c  pending         -  ············  waits for a",
        ),
        ("etl   running   3/6   1   -   2.0s       3h20m   why", "etl   running   3/6   1   - TIME TIME why"),
        ("Failed after 11m02s: 2 jobs of 3 in ns-1", "Failed after TIME: 2 jobs of 3 in NAMESPACE"),
    ],
)
def test_what_is_kept(line: str, kept: str) -> None:
    """Numbers of jobs, words and columns are."""
    assert steady([line], {"ns-1": "NAMESPACE"}) == [kept]
