"""How hard it is to get anything to the model, and that a new link is shown anew what there is."""

import asyncio
from typing import Any

from PIL import Image
from pipecat.frames.frames import UserImageRawFrame

from pipeline.live_input import BACKLOG_BYTES, BACKLOG_S
from pipeline.waiting import Audio
from tests.support.conversation import IN_HZ, Talk, talk


async def test_pressure_grows_with_what_has_not_gone_out(tmp_path, monkeypatch):
    async with talk(tmp_path, greeting=None) as conversation:
        service = conversation.service
        assert service.pressure == 1
        await conversation.until(lambda: service.pressure == 0)
        conversation.transport.ear.is_muted = True
        connection: Any = service._session._ws  # pyright: ignore
        buffered = BACKLOG_BYTES // 2
        monkeypatch.setattr(connection.transport, "get_write_buffer_size", lambda: buffered)
        assert service.pressure == 0.5
        service._waiting.add(Audio(bytes(int(2 * IN_HZ * BACKLOG_S * 0.75)), IN_HZ))
        assert service.pressure == 0.75
        service._waiting.add(Audio(bytes(int(2 * IN_HZ * BACKLOG_S)), IN_HZ))
        assert service.pressure < 1, "something goes out"


async def shows(conversation: Talk) -> None:
    """Show the same picture for as long as it takes."""
    image = Image.new("RGB", (64, 48), "red")
    while True:
        frame = UserImageRawFrame(image=image.tobytes(), size=image.size, format="RGB")
        frame.transport_source = "camera"
        await conversation.transport.ear.push_frame(frame)
        await asyncio.sleep(0.2)


async def test_over_a_new_link_the_model_is_shown_again_what_has_not_changed(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        await conversation.until(lambda: conversation.states[-1:] == ["ready"])
        showing = asyncio.create_task(shows(conversation))
        await conversation.until(lambda: len(conversation.events("video")) == 1)
        await asyncio.sleep(1.5)
        assert len(conversation.events("video")) == 1
        conversation.understudy.inject("rst", session=conversation.events("setup")[-1]["session"])
        await conversation.until(lambda: len(conversation.events("video")) == 2)
        showing.cancel()
    first, second = (event["session"] for event in conversation.events("video"))
    assert first != second
    assert all(event["source"] == "camera" for event in conversation.events("video"))
