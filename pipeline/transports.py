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
from typing import TYPE_CHECKING, Any

from pipecat.runner.types import DailyRunnerArguments
from pipecat.transports.base_transport import (
    BaseTransport,
    TransportParams,
    VideoInSourceParams,
)

from pipeline.lead import PIECE_S
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipecat.transports.daily.transport import DailyParams

VIDEO_IN_FPS = 5
PHONE_BPS = 32_000
"""More than a telephone carries, and a third of what Daily sends otherwise."""

AUDIO: dict[str, Any] = {
    "audio_in_enabled": True,
    "audio_out_enabled": True,
    "audio_out_end_silence_secs": 0,
    "audio_out_10ms_chunks": round(PIECE_S * 100),
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
    return TransportParams(**AUDIO, **_VIDEO_OF_WEBRTC)


def _daily(**more: Any) -> "DailyParams":
    from pipecat.transports.daily.transport import DailyParams

    from pipeline.daily_once import use_daily_once

    use_daily_once()
    if load_settings().daily_is_stand_in:
        from understudy.daily.call_client import use_stand_in

        use_stand_in()
    return DailyParams(**AUDIO, **more)


def _daily_by_browser() -> "DailyParams":
    # Whose camera and screen are taken is the room's to decide.
    return _daily(video_in_enabled=True)


def _daily_by_phone() -> "DailyParams":
    # The telephone's 8 kHz become the model's 16 in daily-python, which resamples all sound once.
    return _daily(audio_out_bitrate=PHONE_BPS)


def _websocket() -> TransportParams:
    from pipecat.serializers.protobuf import ProtobufFrameSerializer
    from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams

    return FastAPIWebsocketParams(**AUDIO, serializer=ProtobufFrameSerializer())


def _eval() -> TransportParams:
    from pipecat.evals.transport import EvalTransportParams

    return EvalTransportParams(**AUDIO)


TRANSPORT_PARAMS: dict[str, Callable[[], TransportParams]] = {
    "webrtc": _webrtc,
    "daily": _daily_by_browser,
    "websocket": _websocket,
    "eval": _eval,
}
"""By the names that `create_transport` looks for."""


def daily_transport(
    args: DailyRunnerArguments, *, name: str, is_phone: bool = False
) -> BaseTransport:
    """The way into a Daily room; Pipecat's `create_transport` calls every bot "Pipecat Bot".

    Args:
        args: The room.
        name: Under which the bot is there.
        is_phone: Whether somebody is on the telephone, who is heard only.
    """
    params = _daily_by_phone() if is_phone else _daily_by_browser()
    from pipecat.transports.daily.transport import DailyTransport

    return DailyTransport(args.room_url, args.token, name, params=params)
