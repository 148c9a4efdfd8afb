"""Every code of `jobsmgr lint` with its severity and title. What each finds is described in docs/lint.md, not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jobsmgr.lint.findings import Severity

WRONG_VALUE = "MJ001"
UNKNOWN_FIELD = "MJ002"
MISSING = "MJ003"
DUPLICATE_NAME = "MJ006"
SHORTENED = "MJ007"
SHARED = "MJ008"
BAD_KEY = "MJ012"
UNUSED_VOLUME = "MJ015"
HIDDEN = "MJ020"
AMBIGUOUS = "MJ021"
DUPLICATE_KEY = "MJ023"
NOT_YAML = "MJ024"
WRONG_KIND = "MJ025"
MAYBE_HIDDEN = "MJ026"
NO_SUCH_KEY = "MJ027"
SAME_JOB_NAME = "MJ028"
REPEATED = "MJ029"
NO_OBJECT = "MJ030"


class Rule(NamedTuple):
    """What a code stands for."""

    severity: Severity
    title: str


RULES: Mapping[str, Rule] = {
    WRONG_VALUE: Rule(Severity.ERROR, "A value that the schema refuses"),
    UNKNOWN_FIELD: Rule(Severity.ERROR, "A field that does not exist"),
    MISSING: Rule(Severity.ERROR, "A required field that is missing"),
    "MJ004": Rule(Severity.ERROR, "A dependency that does not exist"),
    "MJ005": Rule(Severity.ERROR, "A dependency on itself"),
    DUPLICATE_NAME: Rule(Severity.ERROR, "Two siblings of one name"),
    SHORTENED: Rule(Severity.WARNING, "A Job name that is too long and gets shortened"),
    SHARED: Rule(Severity.WARNING, "Two jobs of a workflow whose Jobs would share a name"),
    "MJ009": Rule(Severity.ERROR, "A dependency that fits two jobs"),
    "MJ010": Rule(Severity.ERROR, "A label or annotation that is the operator's own"),
    "MJ011": Rule(Severity.ERROR, "A cycle of dependencies"),
    BAD_KEY: Rule(Severity.ERROR, "A label or annotation that Kubernetes refuses"),
    "MJ013": Rule(Severity.ERROR, "An environment variable that Kubernetes refuses"),
    "MJ014": Rule(Severity.ERROR, "A mount without its volume"),
    UNUSED_VOLUME: Rule(Severity.WARNING, "A volume that nothing mounts"),
    "MJ016": Rule(Severity.ERROR, "A quantity that Kubernetes cannot read"),
    "MJ017": Rule(Severity.ERROR, "A request above its limit"),
    "MJ018": Rule(Severity.ERROR, "A source of variables that is none, or two"),
    "MJ019": Rule(Severity.ERROR, "A workflow too large to store"),
    HIDDEN: Rule(Severity.WARNING, "An outer env that hides a variable of an inner source"),
    AMBIGUOUS: Rule(Severity.WARNING, "A scalar that kubectl reads as something else"),
    "MJ022": Rule(Severity.ERROR, "A dependency that stands there twice"),
    DUPLICATE_KEY: Rule(Severity.ERROR, "A key that stands there twice"),
    NOT_YAML: Rule(Severity.ERROR, "Text that is no YAML"),
    WRONG_KIND: Rule(Severity.ERROR, "A document that means to be a ManagedJob"),
    MAYBE_HIDDEN: Rule(Severity.INFO, "An outer env that may hide a variable of an inner source"),
    NO_SUCH_KEY: Rule(Severity.WARNING, "A key that a ConfigMap or Secret of the files does not have"),
    SAME_JOB_NAME: Rule(Severity.WARNING, "Workflows that get in each other's way"),
    REPEATED: Rule(Severity.WARNING, "An entry that a later one of the same list replaces"),
    NO_OBJECT: Rule(Severity.ERROR, "A document beside a workflow that is no object of Kubernetes"),
}


def severity_of(code: str) -> Severity:
    """The severity of a code; what a third-party plugin reports in `jobsmgr_validate` makes a workflow invalid."""
    return RULES[code].severity if code in RULES else Severity.ERROR
