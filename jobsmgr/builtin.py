"""What the built-in plugins import beside `jobsmgr`. Ours alone: it changes without notice, no one else imports it."""

from jobsmgr.api.codes import Code
from jobsmgr.api.cutting import cut
from jobsmgr.api.edges import Node
from jobsmgr.api.edits import without_effect
from jobsmgr.api.errors import quoted
from jobsmgr.api.fields import Merge
from jobsmgr.api.frontier import Frontier, Readiness
from jobsmgr.api.names import (
    LABEL_PREFIX,
    MANAGED_BY_LABEL,
    RESERVED_LABELS,
    SPEC_HASH_ANNOTATION,
    container_name,
    owned_metadata,
    plain_name,
)
from jobsmgr.api.params import MERGE, MERGE_KEYS, imported_name
from jobsmgr.api.pods import IDLE_SECONDS
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, status_bytes
from jobsmgr.api.status import NEED_A_PERSON, ConditionType, not_before
from jobsmgr.api.syntax import (
    AMOUNT,
    KEY_ADVICE,
    LABEL_VALUE,
    QUANTITY,
    VARIABLE,
    parse_quantity,
    valid_amount,
    valid_annotation_key,
    valid_key,
)

__all__ = [
    "AMOUNT",
    "IDLE_SECONDS",
    "KEY_ADVICE",
    "LABEL_PREFIX",
    "LABEL_VALUE",
    "MANAGED_BY_LABEL",
    "MAX_OBJECT_BYTES",
    "MERGE",
    "MERGE_KEYS",
    "NEED_A_PERSON",
    "QUANTITY",
    "RESERVED_LABELS",
    "SPEC_HASH_ANNOTATION",
    "VARIABLE",
    "Code",
    "ConditionType",
    "Frontier",
    "Merge",
    "Node",
    "Readiness",
    "container_name",
    "cut",
    "imported_name",
    "not_before",
    "owned_metadata",
    "parse_quantity",
    "plain_name",
    "quoted",
    "status_bytes",
    "valid_amount",
    "valid_annotation_key",
    "valid_key",
    "without_effect",
]
