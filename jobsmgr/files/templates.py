"""Files that are templates of manifests, as a Helm chart has them. None is rendered here."""

from __future__ import annotations

import re
from typing import Any

from jobsmgr.api.fields import mapping
from jobsmgr.api.workflow import KIND

MARKER = "{{"
RENDER_IT = "render templates first (helm template . | jobsmgr lint -), or skip the file with --exclude"
_WORKFLOW = re.compile(rf"""\bkind["']?:\s*["']?{KIND}\b""")


def is_template(text: str) -> bool:
    """Whether a text may be a template, and none of a workflow: an error in that is never passed over."""
    return MARKER in text and _WORKFLOW.search(text) is None


def is_named_by_template(value: Any) -> bool:
    """Whether an object's type or name is to be filled in; a ConfigMap may well hold braces."""
    metadata = mapping(mapping(value).get("metadata"))
    names = [mapping(value).get(field) for field in ("apiVersion", "kind")]
    names += [metadata.get(field) for field in ("name", "namespace")]
    return any(MARKER in name for name in names if isinstance(name, str))
