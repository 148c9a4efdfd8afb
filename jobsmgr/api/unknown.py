"""What a stored status holds that this version does not know, as a value. It is read and kept elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.frozen import frozen, read_only
from jobsmgr.api.workflow import JobKey


@attrs.frozen(kw_only=True)
class Unknown:
    """What is stored in a status and this version does not know: a newer one has written it.

    It is kept and stored again as it was, beside what is worked out. Values of the JSON form, by their places.
    """

    fields: Manifest = attrs.field(factory=dict, converter=frozen)
    counts: Manifest = attrs.field(factory=dict, converter=frozen)
    conditions: Mapping[str, Manifest] = attrs.field(factory=dict, converter=read_only)
    groups: Mapping[str, Manifest] = attrs.field(factory=dict, converter=read_only)
    jobs: Mapping[JobKey, Manifest] = attrs.field(factory=dict, converter=read_only)
    phases: Mapping[JobKey, str] = attrs.field(factory=dict, converter=read_only)
    """Jobs in a phase that this version does not know: they count as running, stay as they are and never start."""
    end: str = ""
    """The phase of a workflow that has ended in one that this version does not know; the whole status stays."""


NOTHING_UNKNOWN = Unknown()
