"""The spec of the last look, so that it is known what an edit after the end has changed. Nothing is read here."""

from __future__ import annotations

import hashlib
import json

import attrs

from jobsmgr.api.fields import Manifest

COUNTS_AFTER_THE_END = "ttlSecondsAfterFinished"
"""The one field of a spec that still has an effect on an ended workflow."""


@attrs.frozen
class Written:
    """The spec of one generation, as a digest of all that counts before the end."""

    generation: int = 0
    digest: bytes = b""

    def read(self, generation: int, spec: Manifest) -> Written:
        """The spec of a generation; made once."""
        return self if generation == self.generation else Written(generation, _digest(spec))

    def is_kept_by(self, later: Written) -> bool:
        """Whether an edit has changed nothing but what counts after the end; not where the spec before is unknown."""
        return 0 < self.generation < later.generation and self.digest == later.digest


def _digest(spec: Manifest) -> bytes:
    kept = {name: value for name, value in spec.items() if name != COUNTS_AFTER_THE_END}
    return hashlib.blake2b(json.dumps(kept, sort_keys=True).encode(), digest_size=16).digest()
