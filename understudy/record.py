"""The record: every event of every session, in memory and as JSON lines."""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

_logger = logging.getLogger(__name__)

MAX_RECORDS = 100_000
MAX_BYTES = 64_000_000
"""Of events in memory: 100,000 of the usual ones; a client may name things in megabytes."""
MAX_UNWRITTEN = 16_000_000
"""Characters that wait to be written; what comes while the disk stands still is left out."""


class Recorder:
    """Keeps events, and writes them to a file if there is one.

    Writing happens in a thread of its own: 200 sessions of 50 messages a second are 10,000
    lines a second. A line is flushed as soon as no other waits behind it.

    Args:
        clock: Monotonic seconds; the record counts from now.
        path: JSON lines are appended here. Opened at once, so a bad path fails at the start.
        max_records: So many events are kept in memory, the last ones.
        max_bytes: And as many of them as take about so much.

    Raises:
        OSError: The file can't be opened.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        path: Path | None = None,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._clock = clock
        self._start_s = clock()
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: deque[tuple[dict[str, Any], int]] = deque()
        self._bytes = 0
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Each counted by one thread only, so that no lock is needed.
        self._queued = self._written = 0
        self._lost = 0
        self._writer: threading.Thread | None = None
        self._is_writing = path is not None
        if path is not None:
            path.touch(mode=0o600)
            file = path.open("a", encoding="utf-8")
            self._writer = threading.Thread(
                target=self._write, args=(file,), name="understudy-record", daemon=True
            )
            self._writer.start()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The last events, oldest first."""
        return [record for record, _ in self._records]

    def add(self, session: str, event: str, fields: Mapping[str, Any]) -> None:
        """Records an event of a session.

        Args:
            session: The session's id.
            event: What happened, such as `turn_complete`.
            fields: JSON values; never a key.
        """
        elapsed_s = round(self._clock() - self._start_s, 3)
        record = {"t": elapsed_s, "session": session, "event": event, **fields}
        size = _size(record)
        self._records.append((record, size))
        self._bytes += size
        while len(self._records) > self._max_records or self._bytes > self._max_bytes:
            _, size = self._records.popleft()
            self._bytes -= size
        if self._is_writing:
            self._queue(record)

    def close(self) -> None:
        """Writes what is left and closes the file."""
        if self._writer is not None:
            self._lines.put(None)
            self._writer.join()
            self._writer = None

    def _queue(self, record: dict[str, Any]) -> None:
        if self._queued - self._written > MAX_UNWRITTEN:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._queue({"t": record["t"], "session": "", "event": "lost", "lines": lost})
        line = json.dumps(record, ensure_ascii=False)
        self._queued += len(line)
        self._lines.put(line)

    def _write(self, file: TextIO) -> None:
        try:
            with file:
                while (line := self._lines.get()) is not None:
                    file.write(line + "\n")
                    if self._lines.empty():
                        file.flush()
                    self._written += len(line)
        except OSError as error:
            _logger.error("the record %s ends here: %s", file.name, error.strerror)
            self._is_writing = False


_LISTS = (list, tuple)


def _size(value: object) -> int:
    """Returns about how many bytes a JSON value takes in memory."""
    if isinstance(value, str):
        return sys.getsizeof(value)
    if isinstance(value, dict):
        return 256 + sum(map(_size, value.values()))
    if isinstance(value, _LISTS):
        return 64 + sum(map(_size, value))
    return 32
