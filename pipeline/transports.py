"""How each way in carries its media: the parameters for Pipecat's `create_transport`.

The microphone at 16 kHz and the bot's voice at 24 kHz are the rates of the Live API and the
pipeline's own, so no transport sets one. Every transport delivers video at 5 fps; which frames the
model sees is the `FrameRateLimiter`'s to decide, and the more it can choose from, the fresher they
are. Nothing is played after the end: Pipecat 1.14 would add two seconds of silence to each hang-up.
Speech is written in pieces as long as an Opus packet: Pipecat's 40 ms would be two of them, of which
the second can't be stopped any more.

A transport's libraries are imported when the first caller comes in by it.
"""

from collections.abc import Callable
from typing import Any

from pipecat.transports.base_transport import TransportParams, VideoInSourceParams

from pipeline.lead import PIECE_S

VIDEO_IN_FPS = 5

_AUDIO: dict[str, Any] = {
    "audio_in_enabled": True,
    "audio_out_enabled": True,
    "audio_out_end_silence_secs": 0,
    "audio_out_10ms_chunks": round(PIECE_S * 100),
}
_VIDEO: dict[str, Any] = {
    "video_in_enabled": True,
    "video_in_sources": {
        source: VideoInSourceParams(framerate=VIDEO_IN_FPS) for source in ("camera", "screenVideo")
    },
}
_VIDEO_OF_WEBRTC: dict[str, Any] = {
    "video_in_enabled": True,
    # Its client reads at our rate; a second owner of the rate would drop some of that.
    "video_in_sources": {source: VideoInSourceParams() for source in ("camera", "screenVideo")},
}


def _webrtc() -> TransportParams:
    from pipeline.webrtc_tracks import use_fresh_tracks
    from pipeline.webrtc_video import use_unconverted_video

    use_fresh_tracks()
    use_unconverted_video()
    return TransportParams(**_AUDIO, **_VIDEO_OF_WEBRTC)


def _daily() -> TransportParams:
    from pipecat.transports.daily.transport import DailyParams

    return DailyParams(**_AUDIO, **_VIDEO)


def _websocket() -> TransportParams:
    from pipecat.serializers.protobuf import ProtobufFrameSerializer
    from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams

    return FastAPIWebsocketParams(**_AUDIO, serializer=ProtobufFrameSerializer())


def _eval() -> TransportParams:
    from pipecat.evals.transport import EvalTransportParams

    return EvalTransportParams(**_AUDIO)


TRANSPORT_PARAMS: dict[str, Callable[[], TransportParams]] = {
    "webrtc": _webrtc,
    "daily": _daily,
    "websocket": _websocket,
    "eval": _eval,
}
"""By the names that `create_transport` looks for."""
