"""Whoever counts sees what the link does."""

import pytest
from pipecat.frames.frames import MetricsFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed

from pipeline.link_metrics import LinkMetricsData
from pipeline.live_service import LiveService
from pipeline.waiting import JOINED_S, MAX_AUDIO_S, Audio
from tests.support.conversation import IN_HZ, talk

HELD_S = MAX_AUDIO_S + 2


class Counter(BaseObserver):
    """Keeps the changes of the link that are pushed through a pipeline."""

    def __init__(self):
        super().__init__(observe_every_push=False)
        self.changes: list[LinkMetricsData] = []

    async def on_push_frame(self, data: FramePushed):
        if isinstance(data.frame, MetricsFrame):
            self.changes += [d for d in data.frame.data if isinstance(d, LinkMetricsData)]


async def hold_sound(service: LiveService) -> None:
    """Say more in a gap than is kept, without taking the time."""
    piece = Audio(bytes(2 * IN_HZ // 50), IN_HZ)
    for _ in range(round(HELD_S * 50)):
        await service._send_or_hold(piece)


async def test_each_change_of_the_link_is_counted_with_its_time_and_its_losses(tmp_path):
    counter = Counter()
    async with talk(tmp_path, greeting=None) as conversation:
        conversation.session._worker.add_observer(counter)
        await conversation.until(lambda: conversation.states[-1:] == ["ready"])
        conversation.transport.ear.is_muted = True
        conversation.understudy.inject("refuse-503", moment={"at": "connect", "times": 1})
        conversation.understudy.inject("rst", session=conversation.events("setup")[-1]["session"])
        await conversation.until(lambda: conversation.states[-1] == "reseeding")
        await hold_sound(conversation.service)
        await conversation.until(lambda: conversation.states[-1] == "ready")
        conversation.transport.ear.is_muted = False
        await conversation.type("Is all well?")
        await conversation.until_quiet()
        (down_s, _), (up_s, up) = conversation.notices("link")[-2:]
        messages = [message for _, message in conversation.transport.told]

    gap, end_of_gap = counter.changes[-2:]
    assert (gap.previous_state, gap.state) == ("ready", "reseeding")
    assert (end_of_gap.previous_state, end_of_gap.state) == ("reseeding", "ready")
    assert end_of_gap.previous_s == pytest.approx(up_s - down_s, abs=0.1)
    assert gap.lost_audio_s == 0 and end_of_gap.lost_messages == 0
    assert 0 <= end_of_gap.lost_audio_s - (HELD_S - MAX_AUDIO_S) <= JOINED_S
    assert f"{end_of_gap.lost_audio_s:.0f} s of what was said" in up["text"]
    assert {"label": "rtvi-ai", "type": "metrics", "data": {}} in messages
    assert [turn["side"] for turn in conversation.turns] == ["user", "bot"]
