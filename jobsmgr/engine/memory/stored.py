"""The status as it was stored last, parsed once and encoded only where it has changed. Nothing is written here."""

from __future__ import annotations

import json
import zlib

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import NEW, Status
from jobsmgr.api.status_codec import StatusEncoder, parse_status


@attrs.define
class StoredStatus:
    """A status, and the object that it was read from: `raw` is always what `status` looks like in JSON.

    Between two looks that of a finished workflow is packed: thousands of them would be most of the memory.
    """

    status: Status = NEW
    raw: object = None
    _encoder: StatusEncoder = attrs.field(factory=StatusEncoder)
    _packed: bytes = b""

    def read(self, raw: object, spec: Manifest) -> Status:
        """The stored status, parsed only if it is another than last time.

        A status that was seen and is empty now has been wiped: what is remembered counts, and is written again.
        """
        self._unpack(spec)
        if raw is self.raw or (raw == self.raw and self.raw is not None):
            self.raw = raw
            return self.status
        status = parse_status(raw, spec)
        if status.seen or not self.status.seen:
            self.status, self.raw = status, raw
        return self.status

    def saved(self, status: Status, raw: object) -> None:
        """Take what this process has stored itself: it need not be parsed."""
        self.status, self.raw = status, raw

    def encode(self, status: Status) -> Manifest:
        """A status in its stored form; what is the same as in the last one is not encoded again."""
        return self._encoder.encode(status)

    def forget_work(self) -> None:
        """Drop what only helps to encode the next status."""
        self._encoder = StatusEncoder()

    def pack(self) -> None:
        """Let the status of a workflow that has ended take little space until the next look, if there is one."""
        if self.status.final and self.raw is not None:
            self._packed = zlib.compress(json.dumps(self.raw, separators=(",", ":")).encode(), 1)
            self.status, self.raw = NEW, None

    def _unpack(self, spec: Manifest) -> None:
        if self._packed:
            self.raw = json.loads(zlib.decompress(self._packed))
            self.status, self._packed = parse_status(self.raw, spec), b""
