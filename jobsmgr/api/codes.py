"""Every code of `jobsmgr lint` with its severity and title. What each finds is described in docs/lint.md, not here."""

from __future__ import annotations

from enum import Enum, StrEnum


class Severity(Enum):
    """An error would be rejected or never run, a warning is probably a mistake, an info may matter."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Code(StrEnum):
    """A rule by its stable code, which a `Problem` and a finding name."""

    severity: Severity
    heading: str
    """What it finds, as a title (a string's `title` is something else)."""

    def __new__(cls, value: str, severity: Severity, heading: str) -> Code:
        """The string itself, which knows its rule."""
        code = str.__new__(cls, value)
        code._value_, code.severity, code.heading = value, severity, heading
        return code

    WRONG_VALUE = "MJ001", Severity.ERROR, "A value that the schema does not allow"
    UNKNOWN_FIELD = "MJ002", Severity.ERROR, "A field that does not exist"
    MISSING = "MJ003", Severity.ERROR, "A required field that is missing"
    UNKNOWN_DEPENDENCY = "MJ004", Severity.ERROR, "A dependency that does not exist"
    SELF_DEPENDENCY = "MJ005", Severity.ERROR, "A dependency on itself"
    DUPLICATE_NAME = "MJ006", Severity.ERROR, "Two groups or jobs with the same name"
    SHORTENED = "MJ007", Severity.WARNING, "A Job name that is too long and gets shortened"
    SHARED = "MJ008", Severity.WARNING, "Two jobs of a workflow whose Jobs would have the same name"
    AMBIGUOUS = "MJ009", Severity.ERROR, "A dependency that matches two jobs"
    RESERVED_KEY = "MJ010", Severity.ERROR, "A label or annotation that is reserved for the operator"
    CYCLE = "MJ011", Severity.ERROR, "A cycle of dependencies"
    BAD_KEY = "MJ012", Severity.ERROR, "A label or annotation that Kubernetes rejects"
    VARIABLE = "MJ013", Severity.ERROR, "An environment variable that Kubernetes rejects"
    NO_VOLUME = "MJ014", Severity.ERROR, "A mount without a volume"
    UNUSED_VOLUME = "MJ015", Severity.WARNING, "A volume that nothing mounts"
    QUANTITY = "MJ016", Severity.ERROR, "A quantity that Kubernetes cannot read"
    OVER_LIMIT = "MJ017", Severity.ERROR, "A request above its limit"
    BAD_SOURCE = "MJ018", Severity.ERROR, "A source of variables that names no object, or two"
    TOO_LARGE = "MJ019", Severity.ERROR, "A workflow too large to store"
    HIDDEN = "MJ020", Severity.WARNING, "An outer env that hides a variable from an inner source"
    AMBIGUOUS_SCALAR = "MJ021", Severity.WARNING, "An unquoted value that kubectl reads as another type"
    REPEATED_DEPENDENCY = "MJ022", Severity.ERROR, "A dependency that appears twice"
    DUPLICATE_KEY = "MJ023", Severity.ERROR, "A key that appears twice"
    NOT_YAML = "MJ024", Severity.ERROR, "Text that is not valid YAML"
    WRONG_KIND = "MJ025", Severity.ERROR, "A document that looks like a ManagedJob but is not one"
    MAYBE_HIDDEN = "MJ026", Severity.INFO, "An outer env that may hide a variable from an inner source"
    NO_SUCH_KEY = "MJ027", Severity.WARNING, "A key that a ConfigMap or Secret in the files does not have"
    SAME_JOB_NAME = "MJ028", Severity.WARNING, "Workflows that conflict with each other"
    REPEATED_ENTRY = "MJ029", Severity.WARNING, "An entry that a later entry of the same list replaces"
    NO_OBJECT = "MJ030", Severity.ERROR, "A document beside a workflow that is not a Kubernetes object"
    BAD_DATA = "MJ031", Severity.ERROR, "Data of a ConfigMap or Secret that Kubernetes rejects"
    ABORTED = "MJ032", Severity.WARNING, "A workflow that is aborted as soon as it is applied"
    UNDEFINED = "MJ033", Severity.WARNING, "A reference to a variable that nothing defines"
    ONE_WORD = "MJ034", Severity.WARNING, "A command with several words in one string"
    OPERATOR = "MJ035", Severity.WARNING, "A shell operator where no shell runs"
    SHELL_VARIABLE = "MJ036", Severity.WARNING, "A shell variable where no shell runs"
    NO_EFFECT = "MJ037", Severity.WARNING, "A parallel that has no effect"
    NOT_RETRIED = "MJ038", Severity.WARNING, "A retry-jobs annotation that has no effect"


_CODES = {code.value: code for code in Code}


def severity_of(code: str) -> Severity:
    """The severity of a code; what a third-party plugin reports in `jobsmgr_validate` makes a workflow invalid."""
    return _CODES[code].severity if code in _CODES else Severity.ERROR
