"""Callers who make an offer and are not heard of again, or hang up before the call is built."""

import asyncio
from pathlib import Path

import pytest
from aiortc import RTCPeerConnection

import bot
from serving.supervisor import doors
from serving.supervisor.doors import Doors
from tests.support.understudies import understudy_in


async def offered(pc: RTCPeerConnection, files: Path) -> Doors:
    """A call of the real bot that has begun with an offer."""
    pc.addTransceiver("audio")
    await pc.setLocalDescription(await pc.createOffer())
    inside = Doors(bot.bot)
    answer = await inside.begin(
        way="webrtc",
        session="0" * 32,
        body={},
        files=str(files),
        offer={"sdp": pc.localDescription.sdp, "type": "offer"},
        ice_servers=[],
    )
    assert answer["type"] == "answer"
    return inside


async def test_who_never_connects_is_hung_up_on(monkeypatch, tmp_path):
    assert doors.CONNECT_S <= 20
    monkeypatch.setattr(doors, "CONNECT_S", 1.0)
    async with understudy_in(monkeypatch, tmp_path):
        pc = RTCPeerConnection()
        inside = await offered(pc, tmp_path)
        await pc.close()
        await asyncio.wait_for(inside.served(), 10)
    assert not bot.SESSIONS


@pytest.mark.parametrize("after_s", [0, 0.02, 0.5])
async def test_a_call_that_is_ended_as_it_begins_ends(monkeypatch, tmp_path, after_s: float):
    async with understudy_in(monkeypatch, tmp_path):
        pc = RTCPeerConnection()
        inside = await offered(pc, tmp_path)
        await asyncio.sleep(after_s)
        await inside.end("The call was ended.")
        await asyncio.wait_for(inside.served(), 10)
        await pc.close()
    assert not bot.SESSIONS
