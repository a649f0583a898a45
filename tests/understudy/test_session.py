import json
import tracemalloc
from typing import Any

import pytest

from tests.understudy.support import (
    MODEL_2_5,
    MODEL_3_1,
    Client,
    encode,
    model,
    noise,
    pcm_blob,
    picture,
    silence,
    speech,
    user,
)
from understudy import wire
from understudy.effects import Failed

QUIET_MIC = silence(0.8)


def automatic(**fields: Any) -> dict[str, Any]:
    return {"realtimeInputConfig": {"automaticActivityDetection": fields}}


def spoken_turn(client, samples=None):
    client.hear(silence(0.3))
    client.hear(speech() if samples is None else samples)
    client.hear(QUIET_MIC)


# A typed turn, and what every turn is made of


def test_a_typed_turn_on_3_8():
    client = Client().set_up()
    client.type("Good morning")
    client.wait(10)
    assert client.said() == "You typed: Good morning."
    fields = [f for f in client.content_fields() if f != "outputTranscription"]
    assert fields == ["modelTurn"] * (len(fields) - 2) + ["generationComplete", "turnComplete"]


def test_audio_comes_in_chunks_faster_than_it_plays_and_the_turn_ends_when_it_has_played():
    client = Client().set_up()
    client.type("x" * 80)
    client.wait(20)
    starts = client.times("modelTurn")
    audio_s = 5.0  # 91 characters at the test voice's 16 per second, whole seconds
    assert starts[0] == pytest.approx(100.57)
    assert len(starts) == audio_s / 0.2
    assert starts[-1] - starts[0] == pytest.approx((audio_s - 0.2) / 4.3, abs=0.01)
    assert client.times("generationComplete")[0] == starts[-1]
    assert client.times("turnComplete")[0] - starts[0] == pytest.approx(audio_s - 0.2, abs=0.01)


def test_3_8_bundles_audio_with_transcript_and_sends_empty_frames():
    client = Client().set_up()
    client.type("Good morning")
    client.wait(10)
    answer = (m for _, m in client.sent[1:] if "sessionResumptionUpdate" not in m)
    messages = list(answer)
    assert messages[:3] == [{}, {"serverContent": {}}, {}]
    assert set(messages[3]["serverContent"]) == {"modelTurn", "outputTranscription"}
    assert messages[4] == {}


def test_2_5_sends_one_field_at_a_time_and_words_with_leading_spaces():
    client = Client().set_up(MODEL_2_5)
    client.type("Good morning")
    client.wait(10)
    contents = client.messages("serverContent")
    assert all(len(content) == 1 for content in contents)
    assert {} not in [message for _, message in client.sent]
    assert "outputTranscription" in contents[0]
    assert contents[0]["outputTranscription"]["text"].startswith(" You")


def test_the_transcript_leads_its_audio():
    client = Client().set_up()
    client.type("count to 40")
    client.wait(60)
    bundled = [
        content
        for content in client.messages("serverContent")
        if "modelTurn" in content and "outputTranscription" in content
    ]
    assert "".join(c["outputTranscription"]["text"] for c in bundled).startswith("1, 2, 3, ")
    assert len(bundled) > 3
    assert len(bundled[0]["outputTranscription"]["text"].split()) > 6  # 1.7 s ahead


def test_no_output_transcript_unless_asked_for():
    client = Client()
    client.say(setup={"model": "models/gemini-3.8-live"})
    client.type("hello")
    client.wait(10)
    assert "outputTranscription" not in client.content_fields()


def test_usage_comes_with_turn_complete_and_counts_audio_at_25_tokens_a_second():
    client = Client().set_up(systemInstruction={"parts": [{"text": "x" * 40}]})
    client.type("y" * 40)
    client.wait(20)
    (usage,) = client.messages("usageMetadata")
    sent_s = client.noted("audio_out")[0]["ms"] / 1000
    assert usage["promptTokenCount"] == 20
    assert usage["responseTokenCount"] == round(25 * sent_s)
    assert usage["totalTokenCount"] == 20 + usage["responseTokenCount"]


@pytest.mark.parametrize(("resolution", "tokens"), [(None, 258), ("MEDIA_RESOLUTION_LOW", 64)])
def test_a_frame_costs_tokens_by_its_resolution(resolution, tokens):
    generation = {"mediaResolution": resolution} if resolution else {}
    client = Client().set_up(generationConfig=generation)
    client.show(picture())
    client.type("hi")
    client.wait(10)
    details = client.messages("usageMetadata")[0]["promptTokensDetails"]
    assert {"modality": "IMAGE", "tokenCount": tokens} in details


# Speech


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


# Pictures


def test_frames_are_told_in_the_next_answer_once():
    client = Client().set_up()
    for _ in range(3):
        client.show(picture("red", source="camera"))
    client.show(picture("green", size=(1280, 720), source="screenVideo"))
    client.type("hello")
    client.wait(15)
    assert client.said() == (
        "You typed: hello. I saw 3 camera frames, 640 by 480 pixels, mostly red. "
        "I saw one screen frame, 1280 by 720 pixels, mostly green."
    )
    client.type("hello")
    client.wait(15)
    assert client.said() == "You typed: hello."


def test_a_picture_with_a_caption():
    client = Client().set_up()
    client.content(user("what colour is this?", picture("red")))
    client.wait(10)
    assert client.said() == (
        "I see the picture you sent, 640 by 480 pixels, mostly red. You asked: what colour is this?"
    )


def test_an_answer_waits_for_the_picture():
    client = Client().set_up()
    client.holds_work = True
    client.content(user("what colour?", picture("blue")))
    client.wait(5)
    assert not client.noted("answer")
    client.do_work()
    client.wait(10)
    assert "mostly blue" in client.said()


def test_what_is_no_picture_is_refused():
    client = Client().set_up()
    client.show(b"no picture")
    assert client.closed == (1007, "Request contains an invalid argument.")
    assert client.noted("unreadable")


def test_documents_are_refused():
    client = Client().set_up()
    pdf = {"inlineData": {"data": encode(b"%PDF"), "mimeType": "application/pdf"}}
    client.content({"role": "user", "parts": [pdf]})
    assert client.closed == (1008, "Operation not supported")


def test_a_fault_of_our_own_is_1011():
    client = Client().set_up()
    client.holds_work = True
    client.type("hello")
    client._do(client._session.finish(1, Failed("no voice"), client.now_s))
    assert client.closed == (1011, "Internal error encountered.")


# clientContent


def test_content_that_is_not_complete_waits():
    client = Client().set_up()
    client.content(user("one"), complete=False)
    client.wait(10)
    assert not client.noted("answer")
    client.content(user("two"))
    client.wait(10)
    assert client.said() == "You typed: one two."


def test_texts_that_wait_take_little():
    """A client may write megabytes, time and again, and never ask for an answer."""
    client = Client().set_up()
    tracemalloc.start()
    for _ in range(10):
        client.content(user("x" * 1_000_000), complete=False)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1_000_000
    assert client.noted("content")[0]["characters"] == 1_000_000


def test_questions_that_wait_take_little():
    client = Client().set_up(
        realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"},
        contextWindowCompression={"slidingWindow": {}},
    )
    tracemalloc.start()
    for _ in range(10):
        client.type("x" * 1_000_000)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1_000_000
    client.wait(200)
    assert len(client.noted("answer")) == 10


def test_content_interrupts():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    client.content(user("stop"), complete=False)
    assert client.noted("interrupted")
    client.wait(60)
    assert len(client.noted("answer")) == 1


def test_completing_nothing_answers_nothing():
    client = Client().set_up()
    client.say(clientContent={"turnComplete": True})
    client.wait(10)
    assert not client.noted("answer")


def test_3_1_takes_content_only_before_its_first_turn():
    client = Client().set_up(MODEL_3_1)
    client.content(user("hello"))
    client.wait(10)
    client.content(user("again"))
    assert client.closed == (1007, "Request contains an invalid argument.")


def test_3_8_wants_a_role():
    client = Client().set_up()
    client.content({"parts": [{"text": "hello"}]})
    assert client.closed == (1007, "Please use a valid role: user, model.")


def test_2_5_wants_the_user_to_have_the_last_word():
    client = Client().set_up(MODEL_2_5)
    client.content(user("hello"), model("hi"))
    assert client.closed == (1007, "Request contains an invalid argument.")


# The rest


def test_a_typed_question_about_what_was_seen():
    client = Client().set_up()
    client.show(picture("yellow", source="camera"))
    client.type("hi")
    client.wait(10)
    client.type("What do you see?")
    client.wait(10)
    assert client.said() == "The last camera frame has 640 by 480 pixels, mostly yellow."


def test_context_update_exists_on_3_8_only():
    update = {"systemInstruction": {"parts": [{"text": "new"}]}}
    taken, refused = Client().set_up(), Client().set_up(MODEL_3_1)
    for client in (taken, refused):
        client.say(contextUpdate=update)
    assert taken.noted("context_update") == [{"instruction_characters": 3}]
    assert refused.closed
    assert 'Unknown name "contextUpdate"' in refused.closed[1]


def test_a_declaration_that_is_no_json_cannot_come_back_as_one():
    declaration: dict[str, Any] = {
        "name": "lookup",
        "parametersJsonSchema": {
            "required": ["what"],
            "properties": {"what": {"enum": [{"\ud800": ["\ud800", 10**30]}]}},
        },
    }
    client = Client().set_up(tools=[{"functionDeclarations": [declaration]}])
    client.type("lookup")
    client.wait(1)
    (call,) = client.messages("toolCall")
    assert json.loads(wire.encode(call))["functionCalls"][0]["args"] == {"what": {"?": ["?", 1e30]}}


def test_a_question_asked_while_another_is_being_thought_about_takes_its_place():
    client = Client().set_up()
    client.type("one")
    client.wait(0.1)
    client.type("two")
    client.wait(10)
    assert client.said() == "You typed: two."
    assert len(client.times("generationComplete")) == 1
