"""How each way in carries its media: the parameters for Pipecat's `create_transport`.

The microphone at 16 kHz and the bot's voice at 24 kHz are the rates of the Live API and the
pipeline's own, so no transport sets one. Every transport delivers video at 5 fps; which frames the
model sees is the `FrameRateLimiter`'s to decide, and the more it can choose from, the fresher they
are. Nothing is played after the end: Pipecat 1.14 would add two seconds of silence to each hang-up.
"""

from collections.abc import Callable
from typing import Any

from pipecat.evals.transport import EvalTransportParams
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.transports.base_transport import TransportParams, VideoInSourceParams
from pipecat.transports.daily.transport import DailyParams
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams

VIDEO_IN_FPS = 5

_AUDIO: dict[str, Any] = {
    "audio_in_enabled": True,
    "audio_out_enabled": True,
    "audio_out_end_silence_secs": 0,
}


def _video() -> dict[str, Any]:
    sources = ("camera", "screenVideo")
    return {
        "video_in_enabled": True,
        "video_in_sources": {
            source: VideoInSourceParams(framerate=VIDEO_IN_FPS) for source in sources
        },
    }


TRANSPORT_PARAMS: dict[str, Callable[[], Any]] = {
    "webrtc": lambda: TransportParams(**_AUDIO, **_video()),
    "daily": lambda: DailyParams(**_AUDIO, **_video()),
    "websocket": lambda: FastAPIWebsocketParams(**_AUDIO, serializer=ProtobufFrameSerializer()),
    "eval": lambda: EvalTransportParams(**_AUDIO),
}
"""By the names that `create_transport` looks for."""
