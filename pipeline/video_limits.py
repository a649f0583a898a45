"""How much of the camera and the screen the model is shown: what a persona may choose.

A frame costs 258 tokens whatever its size, so the rates are what video costs and the size is what
can be read in it.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SourceLimits(BaseModel):
    """What holds for one source of video.

    Parameters:
        max_fps: How many frames a second at most: of something new, or on request. The Live API
            takes 1.
        speaking_fps: How many of what merely goes on moving, while the user speaks or has just
            spoken.
        silent_fps: How many of it while nobody speaks.
        at_least_every_s: After how many seconds what has not changed is shown again.
        long_edge_px: The longer side of a frame at most, in pixels.
        jpeg_quality: From 30 to 95, as Pillow counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_fps: float = Field(default=1.0, gt=0, le=1)
    speaking_fps: float = Field(default=0.25, gt=0, le=1)
    silent_fps: float = Field(default=0.1, gt=0, le=1)
    at_least_every_s: float = Field(default=20.0, ge=1)
    long_edge_px: int = Field(default=768, ge=128, le=2048)
    jpeg_quality: int = Field(default=80, ge=30, le=95)

    @model_validator(mode="after")
    def _rates_are_in_order(self) -> Self:
        if not self.silent_fps <= self.speaking_fps <= self.max_fps:
            raise ValueError("silent_fps <= speaking_fps <= max_fps must hold")
        return self


class ScreenLimits(SourceLimits):
    """The same for a shared screen: large enough to read.

    What moves on it all the time is a cursor or a clock.
    """

    speaking_fps: float = Field(default=0.1, gt=0, le=1)
    silent_fps: float = Field(default=0.05, gt=0, le=1)
    long_edge_px: int = Field(default=1536, ge=128, le=2048)


class VideoLimits(BaseModel):
    """What holds for all of a session's video.

    Parameters:
        camera: For the camera, and for any source that is not a screen.
        screen: For a shared screen.
        just_spoken_s: For how many seconds after speaking or typing the user counts as speaking.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: SourceLimits = SourceLimits()
    screen: ScreenLimits = ScreenLimits()
    just_spoken_s: float = Field(default=3.0, ge=0, le=60)

    def of(self, source: str) -> SourceLimits:
        """What holds for a source, by Pipecat's name: `camera`, `screenVideo`."""
        return self.screen if source == "screenVideo" else self.camera
