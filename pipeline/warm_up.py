"""What a process does once, so that no session's event loop is held up by it."""

import functools
import gc
import sys

from google.genai import Client

from pipeline.frame_change import ChangeDetector
from pipeline.live_client import http_options
from pipeline.live_models import build_models
from pipeline.pictures import Pixels
from pipeline.vad import SparingVADAnalyzer
from pipeline.wait_for import use_light_wait_for


@functools.cache
def warm_up() -> None:
    """Load what is loaded at first use: modules, models, codecs. Blocks for about a second.

    Measured without it: 230 ms of a blocked event loop when the first camera frame is converted
    (OpenCV is imported), 140 ms when the first client is made, 250 ms when the first is closed.
    """
    import anyio._backends._asyncio  # noqa: F401
    import cryptography.hazmat.primitives.serialization  # noqa: F401
    import cv2  # noqa: F401
    import httpcore  # noqa: F401

    from pipeline.webrtc_tracks import use_fresh_tracks

    use_fresh_tracks()
    use_light_wait_for()
    vad = SparingVADAnalyzer()
    vad.set_sample_rate(16_000)
    vad.voice_confidence(bytes(2 * vad.num_frames_required()))
    build_models()
    Client(api_key="none", http_options=http_options(connect_timeout_s=1)).close()
    frame = Pixels(data=bytes(16 * 16 * 3), size=(16, 16), mode="RGB", source="camera")
    ChangeDetector(frame.source).look(frame.gist(), now_s=0)
    frame.encode(long_edge_px=16, quality=80)
    # What is loaded stays loaded: a full collection that looks through it takes 150 ms.
    gc.collect()
    gc.freeze()
    # A thread that looks at a picture may keep the loop waiting for this long; 5 ms by default.
    sys.setswitchinterval(0.0005)
