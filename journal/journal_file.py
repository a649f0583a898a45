"""A session's own file: one JSON line for each record, on disk as soon as it is written."""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loguru import logger

TRIES = 4
AGAIN_S = 0.5
"""A disk that is full for a moment has room again after the next rotation of a log."""


class JournalFile:
    """Appends records to a file, each flushed to the disk, in a thread of its own.

    A record that can't be written (the disk is full, the folder is gone) is kept and tried again
    with the next one, a few times soon after, and once more at the end; the conversation goes on
    meanwhile.

    Args:
        path: The file; its folder is made when it is missing. Nothing is created before the first
            record.
        on_unwritable: Called, in the thread that writes, once the file can't be written for good.
    """

    def __init__(self, path: Path, *, on_unwritable: Callable[[], None] = lambda: None):
        self.path = path
        self._on_unwritable = on_unwritable
        self._unwritten = b""
        self._tries = 0
        self._is_closing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    def append(self, record: dict[str, Any]) -> Future[None]:
        """Write one record; done when it is on the disk. Never raises, never blocks."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        # What can't be encoded (half an emoji, from a page) must not cost the line.
        return self._thread.submit(self._write, line.encode(errors="replace"))

    def close(self) -> None:
        """Wait until everything is written. Blocks; not for the event loop."""
        self._is_closing = True
        self._thread.submit(self._write, b"").result()
        self._thread.shutdown()

    def _write(self, data: bytes) -> None:
        self._unwritten += data
        if not self._unwritten:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                written = os.write(file, self._unwritten)
                self._unwritten = self._unwritten[written:]
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            kept = self._unwritten.count(b"\n")
            logger.error(f"The turn log {self.path} can't be written ({error}); {kept} turns wait.")
            self._try_again()
        else:
            self._tries = 0

    def _try_again(self) -> None:
        self._tries += 1
        if self._tries == TRIES:
            self._on_unwritable()
        elif self._tries < TRIES and not self._is_closing:
            time.sleep(AGAIN_S)
            self._write(b"")
