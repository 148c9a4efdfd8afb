"""Values of Secrets kept out of what a run shows and writes: `***` stands in their place. No Secret is read here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.local.environment import PodIdentity
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Attempt, Executor, Exit

MASK = b"***"
SHORTEST = 4
"""Characters of the shortest value that is masked: shorter ones are parts of any text."""
_LONGEST = 4096
"""Bytes that are looked for in one piece; of a longer line each piece is masked."""
_LINE_OF_BASE64 = 76
"""Where `base64` breaks its lines."""


class Mask:
    """The values that are masked, in the forms in which programs print them."""

    def __init__(self, values: Iterable[bytes]) -> None:
        """`values` are those of Secrets: text or not, of one line or many."""
        found = {piece for value in values for form in _forms(value) for piece in _pieces(form)}
        self.pieces = tuple(sorted(found, key=lambda piece: (-len(piece), piece)))
        """The longest first: of two that begin alike it is the one that is meant."""
        self._pattern = re.compile(b"|".join(map(re.escape, self.pieces)) or b"(?!)")
        self._longest = max(map(len, self.pieces), default=0)
        self._beginnings = frozenset(piece[:SHORTEST] for piece in self.pieces)
        self._first = frozenset(piece[:1] for piece in self.pieces)

    def text(self, text: str) -> str:
        """A whole text without the values."""
        return self.output(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")

    def output(self, data: bytes) -> bytes:
        """The same for output."""
        return self._pattern.sub(MASK, data) if self._may_have(data) else data

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """Output without the values, and its end as it is: what may go on as one of them."""
        place = self._undecided(data)
        shown, index = [], 0
        for match in self._pattern.finditer(data) if self._may_have(data) else ():
            if match.start() >= place:
                break
            shown += [data[index : match.start()], MASK]
            index = match.end()
        place = max(place, index)
        return b"".join([*shown, data[index:place]]), data[place:]

    def _may_have(self, data: bytes) -> bool:
        """Whether the pattern, which is slow, has to look: most output has no secret."""
        return any(beginning in data for beginning in self._beginnings)

    def _undecided(self, data: bytes) -> int:
        """Where the end begins that is the beginning of a value; no value has a line's end inside."""
        start = max(data.rfind(b"\n") + 1, len(data) - self._longest + 1)
        for index in range(start, len(data)):
            if data[index : index + 1] in self._first:
                end = data[index:]
                if any(piece.startswith(end) and len(piece) > len(end) for piece in self.pieces):
                    return index
        return len(data)


class Masked:
    """An executor whose jobs' output and messages are without the values of Secrets."""

    def __init__(self, executor: Executor, mask: Mask) -> None:
        self.name = executor.name
        self._executor = executor
        self._mask = mask

    def check(self, manifest: Manifest, pod: PodIdentity) -> None:
        """See the protocol."""
        try:
            self._executor.check(manifest, pod)
        except CannotRun as error:
            raise self._hidden(error) from None

    async def run(self, attempt: Attempt) -> Exit:
        """See the protocol."""
        output = _Output(self._mask, attempt.write)
        try:
            how = await self._executor.run(attrs.evolve(attempt, write=output.write))
        except CannotRun as error:
            raise self._hidden(error) from None
        finally:
            output.finish()
        return attrs.evolve(how, message=self._mask.text(how.message))

    async def aclose(self) -> None:
        """See the protocol."""
        await self._executor.aclose()

    def _hidden(self, error: CannotRun) -> CannotRun:
        return CannotRun(attrs.evolve(error.problem, message=self._mask.text(error.problem.message)))


class _Output:
    """Hands output on as it comes, but for an end that may become a value."""

    def __init__(self, mask: Mask, write: Callable[[bytes], None]) -> None:
        self._mask = mask
        self._write = write
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        shown, self._rest = self._mask.split(self._rest + chunk)
        if shown:
            self._write(shown)

    def finish(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._write(self._mask.output(rest))


def masked(executor: Executor, values: Iterable[bytes]) -> Executor:
    """The executor itself where there is nothing to mask."""
    mask = Mask(values)
    return Masked(executor, mask) if mask.pieces else executor


def _forms(value: bytes) -> Iterator[bytes]:
    """A value as it is, as JSON writes it, and in base64, which programs and people take for hidden."""
    yield value
    yield json.dumps(value.decode(errors="replace"), ensure_ascii=False)[1:-1].encode()
    if len(value.strip()) >= SHORTEST:
        for whole in (value, value + b"\n", value.strip()):
            for encoded in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
                yield encoded.rstrip(b"=")
                yield encoded
                yield re.sub(b"(.{%d})" % _LINE_OF_BASE64, rb"\1\n", encoded)


def _pieces(form: bytes) -> Iterator[bytes]:
    """The lines of a value that are long enough, each in pieces that can be looked for."""
    for line in re.split(rb"[\r\n]+", form):
        stripped = line.strip()
        for start in range(0, len(stripped), _LONGEST):
            piece = stripped[start : start + _LONGEST]
            if len(piece.decode(errors="replace")) >= SHORTEST:
                yield piece
