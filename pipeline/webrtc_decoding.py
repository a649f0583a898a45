"""A video's frames are decoded in their thread when somebody wants one, and that one goes on.

A decoder needs every frame, for the next one builds upon it; the event loop needs few. aiortc 1.16.0
wakes a thread for each frame and starts a task on the loop for each that comes out of it, and its
track keeps them all until somebody reads. With Pipecat 1.14.0's reader that is 0.4 ms of the loop's
time a frame, of which most are thrown away at once; and threads that wake often keep the loop
waiting for the interpreter.
"""

import asyncio
import queue
import threading
from collections import deque

from aiortc import rtcrtpreceiver
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import VideoFrame
from av.error import FFmpegError
from av.frame import Frame
from loguru import logger

MOST_WAITING = 30
"""Encoded frames that wait at most for somebody to want one: two seconds of a camera."""

_aiortcs_worker = rtcrtpreceiver.decoder_worker

Encoded = tuple[RTCRtpCodecParameters, JitterFrame]


class EncodedFrames:
    """In the place of the queue between a receiver and its decoder's thread.

    The thread sleeps until somebody wants a frame, and then gets all that have come. Sound is always
    wanted.
    """

    def __init__(self) -> None:
        self._waiting: deque[Encoded] = deque()
        self._changed = threading.Condition()
        self._is_wanted = False
        self._is_over = False

    def put(self, frame: Encoded | None) -> None:
        """A frame came; None: no more will come."""
        with self._changed:
            if frame is None:
                self._is_over = True
            else:
                self._waiting.append(frame)
                self._is_wanted |= not frame[0].mimeType.startswith("video/")
            if self._is_ready:
                self._changed.notify()

    def want(self) -> None:
        """Somebody waits for the newest frame, or for the next where there is none."""
        with self._changed:
            self._is_wanted = True
            if self._is_ready:
                self._changed.notify()

    def clear(self) -> None:
        """Forget what waits: it is of before."""
        with self._changed:
            self._waiting.clear()

    def get(self) -> tuple[list[Encoded], bool] | None:
        """Wait for frames to be decoded.

        Returns:
            The frames, and whether the last of them is wanted; None when it is over and nothing is.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready)
            if self._is_over and not (self._is_wanted and self._waiting):
                return None
            frames, is_wanted = list(self._waiting), self._is_wanted
            self._waiting.clear()
            self._is_wanted = False
            return frames, is_wanted

    @property
    def _is_ready(self) -> bool:
        is_due = self._is_wanted or len(self._waiting) >= MOST_WAITING
        return self._is_over or (is_due and bool(self._waiting))


def decode(
    loop: asyncio.AbstractEventLoop,
    encoded: EncodedFrames | queue.Queue,
    frames: asyncio.Queue,
    decode_error: threading.Event,
) -> None:
    """Decode until the end; in the place of aiortc's `decoder_worker`, in the same thread.

    Args:
        loop: The event loop of who reads the frames.
        encoded: What comes in; a receiver that is older than `use_newest_frames` has a queue, and
            its frames are decoded as aiortc does it.
        frames: Gets the newest frame of a video when one is wanted, each of sound, and None at the
            end.
        decode_error: Set when a frame can't be decoded: the receiver asks for a keyframe then.
    """
    if isinstance(encoded, queue.Queue):
        return _aiortcs_worker(loop, encoded, frames, decode_error)
    name, decoder = None, None
    while (came := encoded.get()) is not None:
        tasks, is_wanted = came
        newest: Frame | None = None
        for codec, data in tasks:
            if decoder is None or codec.name != name:
                name, decoder = codec.name, get_decoder(codec)
            try:
                decoded = decoder.decode(data)
            except FFmpegError as error:
                # The decoder stays: a new one would fail at every frame until the next keyframe.
                logger.warning(f"A frame of {codec.mimeType} can't be decoded: {error}")
                decode_error.set()
                continue
            for frame in decoded:
                if isinstance(frame, VideoFrame):
                    newest = frame
                else:
                    loop.call_soon_threadsafe(frames.put_nowait, frame)
        if is_wanted and newest is None:
            encoded.want()
        elif is_wanted:
            loop.call_soon_threadsafe(frames.put_nowait, newest)
    loop.call_soon_threadsafe(frames.put_nowait, None)


class _Queues:
    """What a receiver takes from the module `queue`."""

    Queue = EncodedFrames


def use_newest_frames() -> None:
    """Make aiortc's receivers decode so; `FreshTrack` reads them. Doing it twice is harmless."""
    rtcrtpreceiver.decoder_worker = decode  # pyright: ignore
    rtcrtpreceiver.queue = _Queues  # pyright: ignore
