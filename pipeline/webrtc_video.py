"""Video over WebRTC: the newest frame a few times a second, converted only where somebody looks.

Pipecat 1.14.0 takes each frame that was decoded, converts it to RGB on the event loop, in full size,
and throws two thirds of them away a line later (1 ms each of 640 x 480 pixels, 8 ms of 1920 x 1080).
Here a decoded frame goes on as it is, and whoever looks at it or encodes it does so in a thread, in
the size it needs.
"""

import asyncio
from dataclasses import dataclass

import numpy as np
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from loguru import logger
from PIL import Image
from pipecat.transports.smallwebrtc import transport
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import (
    CAM_VIDEO_SOURCE,
    SCREEN_VIDEO_SOURCE,
    SmallWebRTCCallbacks,
)

from pipeline.frame_change import gist_size
from pipeline.frames import DecodedFrame
from pipeline.picture_decoder import Picture
from pipeline.pictures import encode_frame
from pipeline.transports import VIDEO_IN_FPS
from pipeline.webrtc_line import CallersLine, ask_for_less
from pipeline.webrtc_renewal import RenewableClient

READ_S = 1.5
"""How long a frame is waited for: Pipecat 1.14.0 turns a receiver off that nobody has asked for 2 s."""
_RETRY_S = 0.01


@dataclass(frozen=True, kw_only=True)
class DecodedPixels:
    """A frame as the decoder gives it; does what `Pixels` does, straight from there.

    Parameters:
        frame: In YUV. The decoder does not touch it again.
        source: `camera` or `screenVideo`.
    """

    frame: VideoFrame
    source: str

    def gist(self) -> np.ndarray:
        """The frame as a `ChangeDetector` looks at it: small and grey."""
        width, height = gist_size(self.frame.width, self.frame.height, source=self.source)
        return self._reformatted(width, height, "gray")

    def encode(self, *, long_edge_px: int, quality: int) -> Picture:
        """The frame for the model, as `Pixels.encode` makes it."""
        frame = self.frame
        factor = min(long_edge_px / max(frame.width, frame.height), 1.0)
        width, height = (max(round(side * factor), 1) for side in (frame.width, frame.height))
        image = Image.fromarray(self._reformatted(width, height, "rgb24"))
        return encode_frame(image, source=self.source, long_edge_px=long_edge_px, quality=quality)

    def _reformatted(self, width: int, height: int, format: str) -> np.ndarray:
        # By default threads are started for each frame, which costs more than they save.
        return self.frame.reformat(
            width=width, height=height, format=format, interpolation="AREA", threads=1
        ).to_ndarray()


class UnconvertedVideoClient(RenewableClient):
    """A client whose video frames are as the decoder gave them, and no more than are needed.

    Args:
        webrtc_connection: As for `SmallWebRTCClient`.
        callbacks: As for `SmallWebRTCClient`.
    """

    def __init__(self, webrtc_connection: SmallWebRTCConnection, callbacks: SmallWebRTCCallbacks):
        super().__init__(webrtc_connection, callbacks)
        self._line = CallersLine(lambda: webrtc_connection.pc)

    async def _handle_client_connected(self):
        """Ask for less video before any is read; Pipecat 1.14.0 takes all that a sender likes."""
        connection = self._webrtc_connection
        sources = {
            CAM_VIDEO_SOURCE: connection.video_input_track(),
            SCREEN_VIDEO_SOURCE: connection.screen_video_input_track(),
        }
        for source, track in sources.items():
            if track:
                ask_for_less(track._receiver, source=source, line=self._line)
        await super()._handle_client_connected()

    async def read_video_frame(self, video_source: str):
        """Read the newest frame, `VIDEO_IN_FPS` times a second, and convert none.

        Pipecat 1.14.0 reads and converts all, on the event loop.

        Args:
            video_source: `camera` or `screenVideo`.

        Yields:
            A `DecodedFrame` each time.
        """
        now_s = asyncio.get_running_loop().time
        while True:
            frame = await self._next_video_frame(video_source)
            if frame is None:
                await asyncio.sleep(_RETRY_S)
                continue
            next_s = now_s() + 1 / VIDEO_IN_FPS
            decoded = DecodedFrame(
                user_id=self._webrtc_connection.pc_id,
                image=b"",
                size=(frame.width, frame.height),
                format=frame.format.name,
                pixels=DecodedPixels(frame=frame, source=video_source),
                pressure=self._line.pressure,
            )
            decoded.transport_source, decoded.pts = video_source, frame.pts
            yield decoded
            await asyncio.sleep(next_s - now_s())

    async def _next_video_frame(self, video_source: str) -> VideoFrame | None:
        """The next frame; None when there is none yet, or the track is off."""
        is_camera = video_source == CAM_VIDEO_SOURCE
        track = self._video_input_track if is_camera else self._screen_video_track
        if track is None:
            return None
        try:
            frame = await asyncio.wait_for(track.recv(), READ_S)
        except TimeoutError:
            return None
        except MediaStreamError:
            # It would fail again at once and for ever; a new connection has brought or brings another.
            logger.debug(f"The track of the {video_source} has ended")
            if track is self._video_input_track:
                self._video_input_track = None
            elif track is self._screen_video_track:
                self._screen_video_track = None
            return None
        return frame if isinstance(frame, VideoFrame) else None


def use_unconverted_video() -> None:
    """Make Pipecat's WebRTC transports read video with `UnconvertedVideoClient`.

    Doing it twice is harmless.
    """
    transport.SmallWebRTCClient = UnconvertedVideoClient
