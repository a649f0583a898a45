"""The pictures of one session that the model has not seen yet."""

import asyncio
import contextlib
import os
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from loguru import logger
from pipecat.utils.file_storage import LocalFileStorage

from pipeline.picture_decoder import Picture
from pipeline.picture_process import clean_picture

MAX_FILES = 10
MAX_BYTES = 32 * 2**20
"""Of all pictures that wait; one of 1600 x 1600 pixels has 0.2 to 2 MB."""

MAX_RECEIVING = 2
"""Uploads at a time, each of which may need the disk for `MAX_PICTURE_BYTES`."""


class QuotaError(Exception):
    """A session has sent as much as it may; the message is one sentence for the user."""


_RECEIVING: Counter[Path] = Counter()
_WRITING = threading.Lock()


class SessionFiles(LocalFileStorage):
    """A folder for one session, in which there are only pictures that have been cleaned.

    All that it knows is in the folder, so each process, and each request, may have its own: the
    server makes the folder and fills it, the session's process reads from it, and each picture is
    deleted when it has been read. Names are random, so that whoever was not told
    one can't ask for it. Uploads that are under way are files without a name.

    Args:
        folder: For this session alone.
        max_files: Pictures that wait to be read.
        max_bytes: Of all of them.
    """

    holds_clean_pictures = True
    """Says to `ImageInjector` that what is loaded need not be decoded again. Other storages don't
    have it: they hold what was uploaded, whatever that is."""

    def __init__(self, folder: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES):
        super().__init__(str(folder), max_files=0)
        self.folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes

    def create(self) -> None:
        """Make the folder, which nobody else on the machine may look into."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Stands for one upload that is under way.

        Raises:
            QuotaError: There is no room for another.
        """
        if _RECEIVING[self.folder] >= MAX_RECEIVING:
            raise QuotaError(f"{MAX_RECEIVING} pictures are on their way; one more has to wait.")
        _RECEIVING[self.folder] += 1
        try:
            self._check_room(0)
            yield
        finally:
            _RECEIVING[self.folder] -= 1
            if not _RECEIVING[self.folder]:
                del _RECEIVING[self.folder]

    async def save(self, filename: str, contents: bytes) -> str:
        """Clean a picture and keep it; returns its URL.

        Raises:
            PictureError: It can't be shown to the model.
            QuotaError: There is no room for it.
            OSError: The disk does not take it, or the session is over.
        """
        return await self.keep(await clean_picture(contents))

    async def keep(self, picture: Picture) -> str:
        """Keep a picture that has been cleaned; returns its URL.

        Raises:
            QuotaError: There is no room for it.
            OSError: The disk does not take it, or the session is over.
        """
        return await asyncio.to_thread(self._write, picture.jpeg)

    async def remove(self) -> None:
        """Delete the folder with all that is in it; what is still on its way is refused."""
        await asyncio.to_thread(self._remove)

    def _write(self, jpeg: bytes) -> str:
        name = uuid.uuid4().hex
        path = self.folder / name
        with _WRITING:
            self._check_room(len(jpeg))
            try:
                path.write_bytes(jpeg)
            except OSError:
                path.unlink(missing_ok=True)
                raise
        return f"{self._URL_PREFIX}{name}"

    def _check_room(self, more_bytes: int) -> None:
        # From the disk: it is another process that reads and deletes, also just now.
        sizes = []
        for entry in os.scandir(self.folder):
            with contextlib.suppress(FileNotFoundError):
                sizes.append(entry.stat().st_size)
        if len(sizes) >= self._max_files or sum(sizes) + more_bytes > self._max_bytes:
            raise QuotaError("Too many pictures wait to be shown; please send this one later.")

    def _remove(self) -> None:
        # Under its old name nothing can be added while it is being emptied.
        gone = self.folder.with_name(f"{self.folder.name}.gone")
        try:
            self.folder.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)
        if gone.exists():
            logger.error(f"{gone} can't be deleted")
