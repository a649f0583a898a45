"""Frames of our own that travel the pipeline."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from pipecat.frames.frames import Frame, SystemFrame, UserImageRawFrame

from pipeline.picture_decoder import Picture
from pipeline.video_limits import VideoLimits


class Video(Protocol):
    """One frame of a camera or a screen, to be worked on in `PICTURE_THREADS`: see `Pixels`."""

    def gist(self) -> np.ndarray:
        """The frame as a `ChangeDetector` looks at it: small and grey."""
        ...

    def encode(self, *, long_edge_px: int, quality: int) -> Picture:
        """The frame for the model."""
        ...


@dataclass(kw_only=True)
class DecodedFrame(UserImageRawFrame):
    """A frame of a camera or a screen that nobody has converted yet: `image` is empty.

    Parameters:
        pixels: The frame.
        pressure: How hard it is for the caller to get frames here, from 0 to 1.
    """

    pixels: Video
    pressure: float = 0.0


@dataclass
class PictureTurnFrame(SystemFrame):
    """A still and what is said about it: one user turn, for the service to send.

    Parameters:
        picture: The still.
        caption: The question or remark that came with it; never empty.
        filename: The file's name as the user knows it, for telling them what became of it.
    """

    picture: Picture
    caption: str
    filename: str


@dataclass
class ModelToldFrame(SystemFrame):
    """The model was sent a typed message.

    Parameters:
        text: The message.
    """

    text: str


@dataclass
class ModelSawFrame(SystemFrame):
    """The model was sent a picture: a camera or screen frame, or a still.

    Parameters:
        source: `camera`, `screenVideo` or `upload`.
        width: In pixels.
        height: In pixels.
        filename: The file's name; only for an upload.
        caption: What was said about it; only for an upload.
        jpeg: What was sent; empty for an upload.
    """

    source: str
    width: int
    height: int
    filename: str | None = None
    caption: str | None = None
    jpeg: bytes = field(default=b"", repr=False)


@dataclass
class VideoLimitsFrame(SystemFrame):
    """From now on the model is shown as much of camera and screen as this allows.

    Parameters:
        limits: How much.
    """

    limits: VideoLimits


@dataclass
class PlayedFrame(SystemFrame):
    """A frame of the bot's turn has come to its place: what was said before it was played.

    Parameters:
        frame: Where the response begins or ends, or what was said.
    """

    frame: Frame


@dataclass
class SpeakersFrame(SystemFrame):
    """People have spoken, and are silent now.

    Parameters:
        speakers: Who, in the order in which they began: name, and for how many seconds.
    """

    speakers: list[tuple[str, float]]
