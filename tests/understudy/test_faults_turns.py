"""Faults in what is said: audio, transcripts, turns, tools. On the fake clock."""

import pytest

from tests.understudy.stage import CALL, Stage, respond
from tests.understudy.support import MODEL_2_5, picture, silence, speech


def typed(*faults: str, text: str = "Good morning, how are you today?") -> Stage:
    """A whole typed turn."""
    client = Stage(*faults).set_up()
    client.type(text)
    client.wait(30)
    return client


NORMAL = typed()
SPEECH = b"".join(data for _, data in NORMAL.audio())


def sound(client: Stage) -> bytes:
    return b"".join(data for _, data in client.audio())


def test_missing_transcript():
    client = typed("missing-transcript")
    assert client.said() == ""
    assert sound(client) == SPEECH
    assert [*Stage("missing-transcript").set_up(MODEL_2_5).content_fields()] == []


def test_missing_input_transcript():
    for fault, pieces in (("missing-transcript", 1), ("missing-input-transcript", 0)):
        client = Stage(fault).set_up(inputAudioTranscription={})
        client.hear(silence(0.3))
        client.hear(speech())
        client.hear(silence(0.8))
        assert client.content_fields().count("inputTranscription") == pieces
        assert client.noted("activity_end")


def test_late_transcript():
    client = typed("late-transcript:delay_ms=20000")
    assert client.content_fields()[-1] == "outputTranscription"
    assert client.said() == NORMAL.said()
    first = client.times("outputTranscription")[0]
    assert first == pytest.approx(NORMAL.times("outputTranscription")[0] + 20)


def test_burst_audio():
    client = typed("burst-audio")
    assert len({t for t, _ in client.audio()}) == 1
    assert client.times("modelTurn")[0] == NORMAL.times("generationComplete")[0]
    assert sound(client) == SPEECH
    assert client.content_fields() == NORMAL.content_fields()


def test_a_burst_that_is_interrupted_never_comes():
    client = Stage("burst-audio").set_up()
    client.type("count to 50")
    client.wait(1)
    client.type("stop")
    assert client.content_fields() == ["interrupted", "turnComplete"]


def test_slow_audio():
    client = typed("slow-audio:speed=0.5")
    times = [t for t, _ in client.audio()]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert gaps == pytest.approx([0.4] * len(gaps))
    assert sound(client) == SPEECH
    assert client.times("turnComplete")[0] >= times[-1]


def test_audio_as_fast_as_it_plays():
    client = typed("slow-audio:speed=1")
    times = [t for t, _ in client.audio()]
    assert times[-1] - times[0] == pytest.approx(0.2 * (len(times) - 1))
    assert sound(client) == SPEECH


def test_slow_audio_stops_at_an_interruption():
    client = Stage("slow-audio:speed=0.1").set_up()
    client.type("count to 50")
    client.wait(5)
    client.type("stop")
    interrupted = client.times("interrupted")[0]
    client.wait(1)
    assert client.times("turnComplete")[0] == interrupted == 105
    assert not [t for t, _ in client.audio() if 105 < t < 105.57]


def test_jitter():
    client = typed("jitter:max_ms=300")
    assert [m for _, m in client.sent] == [m for _, m in NORMAL.sent]
    late = [t - n for (t, _), (n, _) in zip(client.sent, NORMAL.sent, strict=True)]
    assert 0 <= min(late) < 0.1 < max(late) <= 0.3


def test_stall():
    client = typed("stall:ms=2000,after_ms=400")
    times = [t for t, _ in client.audio()]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert max(gaps) == pytest.approx(2.0, abs=0.05)
    assert gaps.index(max(gaps)) == 0  # 400 ms have been sent with the second piece
    assert sound(client) == SPEECH


def test_audio_gaps():
    client = Stage("audio-gaps:every=2").set_up()
    loud = b"\x01\x02" * 2400
    client._do([_audio(loud), _audio(loud), _audio(loud), _audio(loud)])
    assert [data for _, data in client.audio()] == [loud, bytes(4800), loud, bytes(4800)]


def _audio(data: bytes):
    from understudy.effects import Send

    blob = {"mimeType": "audio/pcm;rate=24000", "data": data}
    return Send({"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}})


def test_audio_after_generation_complete():
    client = typed("audio-after-generation-complete:pieces=2")
    fields = [f for f in client.content_fields() if f != "outputTranscription"]
    assert fields[-4:] == ["generationComplete", "modelTurn", "modelTurn", "turnComplete"]
    assert sound(client) == SPEECH


def test_odd_byte_pcm():
    client = Stage("odd-byte-pcm").set_up()
    data = bytes(range(8))
    client._do([_audio(data), _audio(data), _audio(data)])
    pieces = [piece for _, piece in client.audio()]
    assert [len(piece) % 2 for piece in pieces] == [1, 1, 1]
    assert (data * 3).startswith(b"".join(pieces))


def test_mime_without_rate():
    client = typed("mime-without-rate")
    parts = [
        c["modelTurn"]["parts"][0] for c in client.messages("serverContent") if "modelTurn" in c
    ]
    assert {part["inlineData"]["mimeType"] for part in parts} == {"audio/pcm"}
    assert sound(client) == SPEECH


def test_no_turn_complete():
    client = typed("no-turn-complete")
    assert client.content_fields()[-1] == "generationComplete"
    assert not client.messages("usageMetadata")


def test_generation_complete_only():
    client = typed("generation-complete-only")
    assert client.content_fields()[-1] == "generationComplete"
    assert not client.messages("usageMetadata")
    client.type("and again?")
    client.wait(30)
    assert client.content_fields().count("generationComplete") == 2


def test_no_usage():
    client = typed("no-usage")
    assert not client.messages("usageMetadata")
    assert client.content_fields() == NORMAL.content_fields()


def test_only_one_turn_is_spoilt():
    client = typed("no-usage:turn=2")
    assert len(client.messages("usageMetadata")) == 1
    for _ in range(2):
        client.type("again")
        client.wait(20)
    assert len(client.messages("usageMetadata")) == 2


def test_extra_generation_complete():
    client = Stage(CALL, "extra-generation-complete").set_up()
    assert client.content_fields() == ["generationComplete"]
    assert client.messages("toolCall")


def test_turn_complete_after_tool_call():
    client = Stage(CALL, "turn-complete-after-tool-call").set_up()
    assert client.content_fields() == ["outputTranscription", "turnComplete"]
    assert client.messages("serverContent")[0]["outputTranscription"] == {"finished": True}


def test_double_answer():
    client = typed("double-answer")
    assert sound(client) == SPEECH * 2
    assert client.content_fields() == NORMAL.content_fields() * 2


def test_spurious_interrupt():
    client = typed("spurious-interrupt:after_ms=400")
    assert client.content_fields().count("interrupted") == 1
    assert client.content_fields().index("interrupted") > 1
    assert sound(client) == SPEECH
    assert client.content_fields()[-2:] == ["generationComplete", "turnComplete"]


def test_interrupt_at_activity_start():
    client = typed("interrupt-at-activity-start")
    before = len(client.content_fields())
    client.hear(silence(0.3))
    client.hear(speech())
    assert client.content_fields()[before : before + 2] == ["interrupted", "turnComplete"]


def test_late_interrupt():
    assert typed("late-interrupt").content_fields()[-2:] == ["turnComplete", "interrupted"]


def test_silent_turn():
    client = typed("silent-turn")
    assert client.content_fields() == ["turnComplete"]
    assert len(client.messages("usageMetadata")) == 1


def test_video_flood_mutes():
    client = Stage("video-flood-mutes:max_per_10_s=3").set_up()
    for _ in range(4):
        client.show(picture(size=(8, 8)))
    client.type("What do you see?")
    client.wait(5)
    assert client.content_fields() == []
    client.wait(30)
    client.type("And now?")
    client.wait(30)
    assert "And now?" in client.said()


def test_undeclared_tool_call():
    client = typed("undeclared-tool-call")
    (call,) = client.messages("toolCall")
    assert call["functionCalls"][0]["name"] == "no_such_tool"
    assert call["functionCalls"][0]["id"].startswith("fc_")
    respond(client, call["functionCalls"][0]["id"])
    assert not client.closed


def test_cancel_tool():
    client = Stage(CALL, "cancel-tool:after_ms=500").set_up()
    client.wait(1)
    assert client.messages("toolCallCancellation") == [{"ids": ["call-0"]}]
    client = Stage(CALL, "cancel-tool:after_ms=500").set_up()
    client.wait(0.4)
    respond(client)
    client.wait(1)
    assert not client.messages("toolCallCancellation")


def test_late_tool_cancellation():
    client = Stage(CALL, "late-tool-cancellation").set_up()
    client.wait(1)
    assert not client.messages("toolCallCancellation")
    respond(client)
    client.wait(1)
    assert client.messages("toolCallCancellation") == [{"ids": ["call-0"]}]
    assert client.noted("tool_response")
