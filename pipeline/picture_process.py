"""An untrusted picture is decoded in a process of its own, which is thrown away afterwards.

What decodes pictures is C, and has had its holes; a small file may want gigabytes and minutes. So
each picture has a process that is bounded in memory, time and files (`picture_program.py`), is told
nothing (no environment, no inherited files, no memory of the parent's: it is not a fork), and is
gone when its picture is, or when nobody waits for it any more. What it costs is its start: 70 ms,
of which Python takes 20 and Pillow 40 (measured on two cores that had nothing else to do; 250 ms
where three processes wanted each of them). Starting it holds the parent's interpreter for 0.2 ms.

It is no prison: a decoder that is taken over can do what the server's user can, within these bounds.
"""

import asyncio
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from loguru import logger

from pipeline import picture_program as program
from pipeline.picture_decoder import (
    NotAPictureError,
    Picture,
    PictureError,
    PictureTooLargeError,
)

AT_A_TIME = 2
"""Processes of one parent; further pictures wait."""

PATIENCE_S = 25.0
"""How long one picture may take, the wait for its turn included."""

COMMAND = [sys.executable, "-I", program.__file__]

_BUSY = "The server has too many pictures to look at; please send this one again."
_TOO_SLOW = "The picture takes too long to decode; a smaller one may do."
_TOO_MUCH_MEMORY = "The picture takes too much memory to decode; a smaller one may do."
_DIED = "The picture is broken: it could not be read."


class PicturesBusyError(PictureError):
    """The picture was not looked at, for no fault of its own."""


async def clean_picture(picture: bytes | BinaryIO) -> Picture:
    """Check a file that somebody sent and make it ready for the model.

    Nothing of it but what is seen is in what comes back: see `prepare_upload`. When the caller is
    cancelled, so is the process; in any case it has been reaped when this returns.

    Args:
        picture: The file's content, or a file on disk that is open for reading. It is not closed.

    Raises:
        PictureError: With one sentence for the user.
    """
    decoding = _Decoding(picture)
    job = _turns().submit(decoding.run)
    picture_or_error = asyncio.wrap_future(job)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(picture_or_error)
    except TimeoutError:
        if decoding.has_begun:
            raise PictureTooLargeError(_TOO_SLOW) from None
        raise PicturesBusyError(_BUSY) from None
    finally:
        decoding.stop()
        if not job.cancel():
            await asyncio.gather(picture_or_error, return_exceptions=True)


@functools.cache
def _turns() -> ThreadPoolExecutor:
    """A thread waits for each process: starting and reaping one takes milliseconds of waiting.

    Asyncio's own subprocesses would start on the loop, and need a watcher of children, which
    differs between uvloop, asyncio and a process that was forked.
    """
    return ThreadPoolExecutor(max_workers=AT_A_TIME, thread_name_prefix="picture-process")


# A forked process has none of its parent's threads, and would wait for them for ever.
os.register_at_fork(after_in_child=_turns.cache_clear)


class _Decoding:
    """One picture's process, for the thread that waits for it and the loop that may stop it."""

    def __init__(self, picture: bytes | BinaryIO):
        self._picture = picture
        self._process: subprocess.Popen | None = None
        self._is_stopped = False

    @property
    def has_begun(self) -> bool:
        """Whether it got its turn."""
        return self._process is not None

    def run(self) -> Picture:
        """Decode; blocks."""
        with contextlib.ExitStack() as stack:
            try:
                picture = self._picture
                if isinstance(picture, bytes):
                    picture = stack.enter_context(_scratch(picture))
                picture.seek(0)
                answer = stack.enter_context(_scratch())
                process = subprocess.Popen(
                    COMMAND,
                    stdin=picture,
                    stdout=answer,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={},
                )
            except OSError as error:
                logger.error(f"The process for a picture can't be started: {error}")
                raise PicturesBusyError(_BUSY) from None
            with process:
                self._process = process
                if self._is_stopped:
                    process.kill()
                status = process.wait()
            if self._is_stopped:
                raise PictureTooLargeError(_TOO_SLOW)
            answer.seek(0)
            return _read(status, answer.read(program.OUTPUT_BYTES))

    def stop(self) -> None:
        """End the process, also when it is just being started."""
        self._is_stopped = True
        if self._process is not None:
            self._process.kill()


def _scratch(content: bytes = b"") -> BinaryIO:
    """A file that has no name, and, where there is such a thing, is in memory only.

    A file, because what a process writes into a pipe has no bound, and somebody has to read it.
    """
    if sys.platform == "linux":
        file: BinaryIO = os.fdopen(os.memfd_create("picture"), "w+b")
    else:
        file = tempfile.TemporaryFile()
    file.write(content)
    file.flush()
    return file


def _read(status: int, answer: bytes) -> Picture:
    """What the process says, by its exit status; negative when a signal ended it."""
    head, _, jpeg = answer.partition(b"\n")
    sentence = head[:200].decode(errors="replace")
    match status:
        case program.PICTURE if size := re.fullmatch(r"(\d{1,5}) (\d{1,5})", sentence):
            return Picture(jpeg=jpeg, width=int(size[1]), height=int(size[2]))
        case program.REFUSED:
            raise PictureError(sentence)
        case program.NOT_A_PICTURE:
            raise NotAPictureError(sentence)
        case program.TOO_LARGE:
            raise PictureTooLargeError(sentence)
        case program.NO_MEMORY:
            raise PictureTooLargeError(_TOO_MUCH_MEMORY)
        case _ if -status in (signal.SIGALRM, signal.SIGXCPU):
            raise PictureTooLargeError(_TOO_SLOW)
    last = answer[-2000:].decode(errors="replace")
    logger.error(f"The process of a picture ended with {status}: {last}")
    raise PictureError(_DIED)
