"""A typed turn, what every turn is made of, and what concerns a session as a whole."""

import json
import tracemalloc
from typing import Any

import pytest

from tests.understudy.support import (
    MODEL_2_5,
    MODEL_3_1,
    Client,
    picture,
)
from understudy import wire
from understudy.effects import Failed


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


# The session


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


def test_a_fault_of_our_own_is_1011():
    client = Client().set_up()
    client.holds_work = True
    client.type("hello")
    client._do(client._session.finish(1, Failed("no voice"), client.now_s))
    assert client.closed == (1011, "Internal error encountered.")
