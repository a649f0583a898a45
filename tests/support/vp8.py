"""Video as it comes out of a jitter buffer."""

from fractions import Fraction

import numpy as np
from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from aiortc.jitterbuffer import JitterFrame
from av import VideoFrame

TICKS = 6000
"""Of 90 kHz, from one frame to the next."""


def encoded(count: int) -> list[JitterFrame]:
    """A white square that moves over grey, 20 pixels a frame, in aiortc's own VP8."""
    encoder = Vp8Encoder()
    frames: list[JitterFrame] = []
    for number in range(count):
        picture = np.full((240, 320, 3), 90, np.uint8)
        picture[100:140, number * 20 : number * 20 + 40] = 255
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number * TICKS, Fraction(1, 90_000)
        payloads, timestamp = encoder.encode(frame)
        data = b"".join(VpxPayloadDescriptor.parse(payload)[1] for payload in payloads)
        frames.append(JitterFrame(data=data, timestamp=timestamp))
    return frames
