"""promtool, which checks rules of Prometheus. The rules are not known here."""

from pathlib import Path

from tests.programs.building import Program

VERSION = "3.16.0"
"""The version that the binary reports; go.mod pins the same one, as a library counts: v0.316.0."""
PROMTOOL = Program(
    "promtool",
    Path(__file__).parent,
    says=f"promtool {VERSION}",
    packages=800,
    package="github.com/prometheus/prometheus/cmd/promtool",
    tags=("remove_all_sd",),  # else it has the clients of all clouds in it
    stamps=(f"github.com/prometheus/common/version.Version={VERSION}",),
)
