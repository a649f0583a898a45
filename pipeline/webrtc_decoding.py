"""Every frame of a video is decoded, in its thread; the event loop hears of the newest one only.

A decoder needs every frame, for the next one builds upon it; the loop needs few. aiortc 1.16.0 starts
a task on the loop for each, and its track keeps them all until somebody reads. With Pipecat 1.14.0's
reader that is 0.4 ms of the loop's time a frame, of which most are thrown away at once.
"""

import asyncio
import queue
import threading
from collections import deque

from aiortc import rtcrtpreceiver
from aiortc.codecs import get_decoder
from av import VideoFrame
from av.error import FFmpegError
from av.frame import Frame
from loguru import logger


class Newest:
    """The newest frame of a track: stands in the track's queue, once, in the place of all frames.

    Args:
        loop: Whose thread takes frames.
        frames: The track's queue.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, frames: asyncio.Queue):
        self._loop = loop
        self._queue = frames
        self._frame: deque[Frame] = deque(maxlen=1)

    def put(self, frame: Frame) -> None:
        """A frame was decoded; called by the decoder's thread."""
        self._frame.append(frame)
        # Where it stands in the queue already, whoever takes it finds this frame.
        if self._queue.empty():
            self._loop.call_soon_threadsafe(self._stand)

    def take(self) -> Frame | None:
        """The newest frame; None when it was taken before."""
        return self._frame.pop() if self._frame else None

    def _stand(self) -> None:
        if self._queue.empty():
            self._queue.put_nowait(self)


def decode(
    loop: asyncio.AbstractEventLoop,
    encoded: queue.Queue,
    frames: asyncio.Queue,
    decode_error: threading.Event,
) -> None:
    """Decode until the end; in the place of aiortc's `decoder_worker`, in the same thread.

    Args:
        loop: The event loop of who reads the frames.
        encoded: Of `(codec, encoded frame)`, then None.
        frames: Gets each frame of sound, the `Newest` of a video, then None.
        decode_error: Set when a frame can't be decoded: the receiver asks for a keyframe then.
    """
    name, decoder = None, None
    newest = Newest(loop, frames)
    while (task := encoded.get()) is not None:
        codec, data = task
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
                newest.put(frame)
            else:
                loop.call_soon_threadsafe(frames.put_nowait, frame)
    loop.call_soon_threadsafe(frames.put_nowait, None)


def use_newest_frames() -> None:
    """Make aiortc's receivers decode so; `FreshTrack` reads them. Doing it twice is harmless."""
    rtcrtpreceiver.decoder_worker = decode
