"""A WebRTC connection that is gone: what Pipecat's client leaves waiting, and what ours lets go of."""

import asyncio
from typing import Any

import pytest
from pipecat.frames.frames import OutputTransportMessageUrgentFrame
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCCallbacks, SmallWebRTCClient

from pipeline.opus import FRAME_S
from pipeline.webrtc_audio import ROOM, AudioOut
from pipeline.webrtc_renewal import RenewableClient

RATE_HZ = 24_000


async def nothing(*_: Any) -> None:
    """What the page's coming and going means to a session is not asked here."""


def client(kind: type[SmallWebRTCClient]) -> SmallWebRTCClient:
    """A client of a connection that nobody has."""
    callbacks = SmallWebRTCCallbacks(
        on_app_message=nothing,
        on_client_connected=nothing,
        on_client_disconnected=nothing,
        on_track_status=nothing,
    )
    return kind(SmallWebRTCConnection(), callbacks)


@pytest.mark.parametrize("event", ["_handle_client_closed", "_handle_peer_disconnected"])
@pytest.mark.parametrize(
    ("kind", "is_released"), [(SmallWebRTCClient, False), (RenewableClient, True)]
)
async def test_who_writes_to_the_bots_track_is_released(
    kind: type[SmallWebRTCClient], is_released: bool, event: str
):
    ours = client(kind)
    track = AudioOut(RATE_HZ)
    ours._audio_output_track = track  # pyright: ignore
    writing = track.add_audio_bytes(bytes(2 * round(RATE_HZ * FRAME_S) * (ROOM + 1)))
    await getattr(ours, event)()
    await asyncio.sleep(0)
    assert writing.done() is is_released
    assert ours._audio_output_track is None
    await ours._webrtc_connection.disconnect()


@pytest.mark.parametrize(("kind", "kept"), [(SmallWebRTCClient, 1), (RenewableClient, 0)])
async def test_what_is_told_to_nobody_is_not_kept(kind: type[SmallWebRTCClient], kept: int):
    ours = client(kind)
    connection = ours._webrtc_connection
    await connection.disconnect()
    await ours.send_message(OutputTransportMessageUrgentFrame(message={"type": "late"}))
    assert len(connection._outgoing_messages_queue) == kept


async def test_what_is_told_before_the_page_can_hear_it_is_kept():
    ours = client(RenewableClient)
    await ours.send_message(OutputTransportMessageUrgentFrame(message={"type": "early"}))
    assert len(ours._webrtc_connection._outgoing_messages_queue) == 1
    await ours._webrtc_connection.disconnect()
