"""Speech: when a turn begins and ends, what is heard, and what it interrupts."""

from typing import Any

import pytest

from tests.understudy.support import (
    MODEL_2_5,
    Client,
    noise,
    pcm_blob,
    silence,
    speech,
)

QUIET_MIC = silence(0.8)


def automatic(**fields: Any) -> dict[str, Any]:
    return {"realtimeInputConfig": {"automaticActivityDetection": fields}}


def spoken_turn(client, samples=None):
    client.hear(silence(0.3))
    client.hear(speech() if samples is None else samples)
    client.hear(QUIET_MIC)


def test_a_spoken_turn():
    client = Client().set_up(inputAudioTranscription={})
    spoken_turn(client, speech(dbfs=-23))
    client.wait(10)
    (ended,) = client.noted("activity_end")
    assert ended["speech_s"] == pytest.approx(len(speech()) / 16_000, abs=0.15)
    assert ended["dbfs"] == pytest.approx(-23, abs=2)
    kinds = [activity["type"] for activity in client.messages("voiceActivity")]
    assert kinds == ["ACTIVITY_START", "ACTIVITY_END"]
    seconds, level = f"{ended['speech_s']:.1f}", round(ended["dbfs"])
    transcript = client.messages("serverContent")[0]["inputTranscription"]["text"]
    assert transcript == f"[{seconds} seconds of speech, {level} dBFS]"
    assert client.said() == (
        f"You spoke for {seconds} seconds, at a normal level, minus {-level} decibels."
    )


def test_2_5_sends_no_voice_activity():
    client = Client().set_up(MODEL_2_5)
    spoken_turn(client)
    client.wait(10)
    assert not client.messages("voiceActivity")
    assert client.said().startswith("You spoke for")


def test_without_silence_the_turn_does_not_end():
    client = Client().set_up()
    client.hear(speech())
    client.wait(30)
    assert client.noted("activity_start")
    assert not client.noted("activity_end")


def test_audio_stream_end_ends_the_turn():
    client = Client().set_up()
    client.hear(speech())
    client.realtime(audioStreamEnd=True)
    client.wait(10)
    assert client.said().startswith("You spoke for")


def test_speech_interrupts_at_once():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    client.hear(silence(0.2))
    begun_s = client.now_s
    spoken_turn(client, speech())
    fields = client.content_fields()
    assert fields[fields.index("interrupted") :][:2] == ["interrupted", "turnComplete"]
    assert "generationComplete" not in fields
    interrupted_s = client.times("interrupted")[0]
    assert interrupted_s - begun_s < 0.3 + 0.4  # the lead of silence and what the service takes
    after = [t for t in client.times("modelTurn") if t > interrupted_s]
    assert not after or after[0] > interrupted_s + 1
    client.wait(15)
    assert client.said().startswith("You spoke for")


def test_the_usage_of_an_interrupted_turn_is_what_was_sent():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    spoken_turn(client)
    sent_s = client.noted("audio_out")[0]["ms"] / 1000
    assert client.messages("usageMetadata")[0]["responseTokenCount"] == round(25 * sent_s)


def test_playback_can_be_interrupted_too():
    client = Client().set_up()
    client.type("count to 30")
    client.wait(4)
    assert "generationComplete" in client.content_fields()
    spoken_turn(client)
    assert client.noted("interrupted") == [{"generated": True}]


def test_a_knock_does_not_interrupt():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    client.hear(silence(0.5))
    client.hear(noise(0.12, dbfs=-12))
    client.hear(silence(0.5))
    assert not client.noted("interrupted")


def test_no_interruption_answers_later():
    client = Client().set_up(realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"})
    client.type("count to 30")
    client.wait(1)
    spoken_turn(client)
    assert "interrupted" not in client.content_fields()
    client.wait(30)
    assert [note["why"] for note in client.noted("answer")] == ["count", "speech"]
    assert len(client.times("turnComplete")) == 2


def test_activity_marked_by_the_client():
    client = Client().set_up(**automatic(disabled=True))
    client.hear(speech())
    client.hear(QUIET_MIC)
    assert not client.noted("activity_start")
    client.realtime(activityStart={})
    client.hear(speech())
    client.realtime(activityEnd={})
    client.wait(10)
    assert client.said().startswith("You spoke for")


def test_marked_activity_without_speech_is_told_so():
    client = Client().set_up(**automatic(disabled=True))
    client.realtime(activityStart={})
    client.hear(silence(2))
    client.realtime(activityEnd={})
    client.wait(10)
    assert client.said() == "I heard 2.0 seconds without any speech in it."


def test_explicit_activity_needs_the_detector_off():
    client = Client().set_up()
    client.realtime(activityStart={})
    assert client.closed == (
        1007,
        "Explicit activity control is not supported when automatic activity detection is enabled.",
    )


def test_the_sample_rate_may_not_change():
    client = Client().set_up()
    client.realtime(audio=pcm_blob(silence(0.1), 24_000))
    client.realtime(audio=pcm_blob(silence(0.1), 16_000))
    assert client.closed == (
        1007,
        "Sample rate changed from previously 24000 to 16000, which is not supported.",
    )


def test_media_chunks_are_refused_by_3_8_and_taken_by_2_5():
    chunk = {**pcm_blob(silence(0.1))}
    refused, taken = Client().set_up(), Client().set_up(MODEL_2_5)
    for client in (refused, taken):
        client.realtime(mediaChunks=[chunk])
    assert refused.closed == (
        1007,
        "realtime_input.media_chunks is deprecated. Use audio, video, or text instead.",
    )
    assert taken.noted("audio") == [{"ms": 100, "rate": 16_000, "dbfs": -90.0}]
