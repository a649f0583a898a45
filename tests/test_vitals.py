"""What a session reports of itself while it is being held."""

import json

import pytest
from pipecat.frames.frames import ErrorFrame, MetricsFrame

from journal.turns import TurnLog
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frames import ModelSawFrame
from pipeline.link import LinkState
from pipeline.link_metrics import LinkMetricsData
from pipeline.network_stats import NetworkStats
from pipeline.usage_metrics import UsageMetricsData
from pipeline.vitals import MAX_ANSWERS, Vitals
from tests.support.conversation import talk


def link(state: LinkState, previous: LinkState, **lost) -> MetricsFrame:
    change = LinkMetricsData(
        processor="p", state=state, previous_state=previous, previous_s=1.0, **lost
    )
    return MetricsFrame(data=[change])


def answered(vitals: Vitals, *, after_s: float, interrupted: bool = False):
    log = TurnLog()
    turns = [*log.user_typed("Well?", 10.0), *log.bot_started(10.0), *log.bot_heard(10.0 + after_s)]
    turns += log.interrupted(12.0) if interrupted else log.bot_ended(12.0)
    for turn in [*turns, *log.session_ended(13.0)]:
        vitals.turn_ended(turn)


def test_a_session_of_which_nothing_is_known_yet_is_connecting():
    assert Vitals().report() == {"link": "connecting"}


def test_what_was_reported_is_not_reported_again_but_what_is_so_stays():
    vitals = Vitals()
    vitals.saw(link(LinkState.READY, LinkState.CONNECTING))
    vitals.saw(ErrorFrame("broken"))
    answered(vitals, after_s=0.25, interrupted=True)
    assert vitals.report() == {
        "link": "ready",
        "links": {"ready": 1},
        "answers_s": [0.25],
        "interruptions": 1,
        "errors": 1,
    }
    assert vitals.report() == {"link": "ready"}


def test_what_got_lost_counts_although_the_state_stays():
    vitals = Vitals()
    lost = {"lost_audio_s": 2.5, "lost_messages": 1}
    vitals.saw(link(LinkState.READY, LinkState.READY, **lost))
    assert vitals.report() == {"link": "ready", **lost}


def test_frames_are_counted_by_source_pictures_by_themselves():
    vitals = Vitals()
    data = FrameMetricsData(
        processor="p",
        source="camera",
        shown={"change": 2},
        left_out={"same": 30, "rate": 5},
        pressure=0.0,
    )
    vitals.saw(MetricsFrame(data=[data]))
    vitals.saw(ModelSawFrame(source="camera", width=640, height=480))
    vitals.saw(ModelSawFrame(source="upload", width=640, height=480))
    report = vitals.report()
    assert report["frames"] == {"camera": {"seen": 37, "sent": 1}}
    assert report["pictures"] == 1


def counted(cost_so_far_usd: float | None, **tokens: int) -> MetricsFrame:
    data = UsageMetricsData(
        processor="p",
        model="models/gemini-3.8-live",
        tokens=tokens,
        cost_so_far_usd=cost_so_far_usd,
    )
    return MetricsFrame(data=[data])


def test_tokens_add_up_by_modality():
    vitals = Vitals()
    vitals.saw(counted(0.0, audio_in=100, audio_out=45))
    vitals.saw(counted(0.0, audio_in=120, text_in=20))
    report = vitals.report()
    assert report["model"] == "gemini-3.8-live"
    assert report["tokens"] == {"audio_in": 220, "audio_out": 45, "text_in": 20}
    assert "tokens" not in vitals.report()


def test_a_cost_is_reported_by_what_came_to_it():
    vitals = Vitals()
    vitals.saw(counted(0.25))
    assert vitals.report()["cost_usd"] == 0.25
    vitals.saw(counted(0.3))
    assert vitals.report()["cost_usd"] == 0.05
    assert "cost_usd" not in vitals.report()


def test_a_price_that_nobody_knows_stays_unknown():
    vitals = Vitals()
    vitals.saw(counted(0.25))
    vitals.saw(counted(None))
    report = vitals.report()
    assert (report["cost_usd"], report["cost_unknown"]) == (0.25, True)
    assert vitals.report() == {"link": "connecting", "cost_unknown": True}


def test_of_the_line_the_latest_is_reported_once():
    vitals = Vitals()
    vitals.line_is(NetworkStats(rtt_ms=20, path="udp"))
    vitals.line_is(NetworkStats(rtt_ms=250, loss=0.1, path="udp"))
    said = {"rtt_ms": 250, "loss": 0.1, "jitter_ms": None, "available_bps": None, "path": "udp"}
    assert vitals.report() == {"link": "connecting", "network": said}
    assert vitals.report() == {"link": "connecting"}


def test_nobody_who_asks_seldom_gets_more_than_so_many_latencies():
    vitals = Vitals()
    for number in range(MAX_ANSWERS + 10):
        answered(vitals, after_s=0.2 + number / 1000)
    latencies_s = vitals.report()["answers_s"]
    assert len(latencies_s) == MAX_ANSWERS
    assert latencies_s[-1] == pytest.approx(0.2 + (MAX_ANSWERS + 9) / 1000)


async def test_a_whole_session_reports_its_link_its_answers_and_its_tokens(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        vitals = conversation.session.vitals
        await conversation.until(lambda: conversation.states[-1:] == ["ready"])
        await conversation.type("Is all well?")
        await conversation.until(lambda: len(conversation.turns) == 2)
        first = vitals.report()
        await conversation.type("And what is the time?")
        await conversation.until(lambda: len(conversation.turns) == 4)
    last = vitals.report()

    assert first["link"] == "ready" and first["links"] == {"ready": 1}
    assert sum(first["tokens"].values()) > 0
    assert len(json.dumps(first)) < 1024
    answers = [turn for turn in conversation.turns if turn["latency_ms"] is not None]
    latencies_ms = [1000 * s for s in first.get("answers_s", []) + last["answers_s"]]
    assert latencies_ms == pytest.approx([turn["latency_ms"] for turn in answers])
    assert len(latencies_ms) == 2
