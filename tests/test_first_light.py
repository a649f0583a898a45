"""The whole way over real WebRTC: a caller, the server as a user runs it, an understudy."""

import io
import time
from itertools import pairwise

import httpx
import pytest
from PIL import Image

from tests.support.caller import Caller
from tests.support.media import Camera
from tests.support.speech import speech


def red_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (220, 20, 20)).save(buffer, "PNG")
    return buffer.getvalue()


async def greeted(caller: Caller) -> None:
    """Wait until the greeting was heard to its end."""
    await caller.bot_said("understudy")
    await caller.ear.hears_voice(seconds=1)
    await caller.ear.hears_silence(seconds=1)


async def test_a_spoken_question_with_a_moving_camera_is_answered_aloud(server):
    earlier = len(server.record())
    async with Caller(server.url, camera=Camera()) as caller:
        await greeted(caller)
        question = speech("Hello, can you tell me what you see?")
        asked_at = time.monotonic() + caller.microphone.say(question)
        await caller.ear.hears_voice(seconds=1.5, since=asked_at)
        transcript = await caller.bot_said("red")
        await caller.ear.hears_silence(seconds=1)
        session_id = caller.session["sessionId"]
        turns = server.turns(session_id)

    # Heard: what was said takes as long to say as it was audible.
    assert 2 < caller.ear.voice_s(since=asked_at) < 15
    assert "seconds" in transcript

    # Reached the model: the speech, and of what moves some frames, never more than one a second.
    record = server.record()[earlier:]
    spoken_s = sum(e["ms"] for e in record if e["event"] == "audio" and e["dbfs"] > -50) / 1000
    assert spoken_s == pytest.approx(len(question) / 48_000, abs=0.6)
    seen = [e for e in record if e["event"] == "video"]
    assert {e["source"] for e in seen} == {"camera"}
    assert 0.1 < (len(seen) - 1) / (seen[-1]["t"] - seen[0]["t"]) < 1.1
    assert min(after["t"] - before["t"] for before, after in pairwise(seen)) > 0.7

    # Logged: both sides, once, in order, while the call was still going on.
    assert [turn["side"] for turn in turns] == ["bot", "user", "bot"]
    assert [turn["number"] for turn in turns] == [1, 2, 3]
    greeting, asked, answered = turns
    assert "speech" in asked["text"] and asked["frames"]["camera"] >= 1
    verdicts = [turn["video"]["camera"] for turn in turns if turn["video"]]
    assert any(verdict["shown"] and verdict["left_out"] for verdict in verdicts)
    assert "red" in answered["text"]
    assert answered["latency_ms"] > 0 and answered["tokens"]["completion_tokens"] > 0
    assert not any(turn["interrupted"] for turn in turns)
    assert greeting["start"] < asked["start"] < answered["start"]


async def test_a_typed_message_is_answered_aloud(server):
    async with Caller(server.url) as caller:
        await greeted(caller)
        typed_at = time.monotonic()
        caller.types("the weather is nice")
        assert "weather" in await caller.bot_said("weather")
        await caller.ear.hears_voice(seconds=1, since=typed_at)
        await caller.ear.hears_silence(seconds=1)
        turns = server.turns(caller.session["sessionId"])
    assert [(t["side"], t["text"]) for t in turns][1] == ("user", "the weather is nice")
    assert len(turns) == 3


async def test_the_colour_of_an_uploaded_picture_is_told_aloud(server):
    async with Caller(server.url) as caller:
        await greeted(caller)
        sent_at = time.monotonic()
        await caller.uploads(red_picture(), name="square.png", caption="What colour is this?")
        seen = await caller.hears("server-message", type="picture")
        assert (seen["state"], seen["name"]) == ("seen", "square.png")
        assert "red" in await caller.bot_said("red")
        await caller.ear.hears_voice(seconds=1, since=sent_at)
        await caller.ear.hears_silence(seconds=1)
        turns = server.turns(caller.session["sessionId"])
    assert turns[1]["pictures"] == [{"filename": "square.png", "width": 640, "height": 480}]
    assert turns[1]["text"] == "What colour is this?"
    assert any(e["event"] == "content" and e["pictures"] == 1 for e in server.record())


async def test_a_file_that_is_no_picture_is_refused_in_words(server):
    async with Caller(server.url) as caller:
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await caller.uploads(b"%PDF-1.7", name="paper.pdf", caption="", mime="application/pdf")
    answer = refused.value.response
    assert answer.status_code == 415
    assert answer.json()["detail"] == "That file is not a JPEG, PNG, WebP or GIF picture."


async def test_speaking_during_the_answer_stops_it(server):
    interjection = speech("Stop, that is enough. Thank you very much.")
    async with Caller(server.url) as caller:
        await greeted(caller)
        typed_at = time.monotonic()
        caller.types("count to 60")
        await caller.ear.hears_voice(seconds=3, since=typed_at)
        barged_in_at = time.monotonic()
        spoken_s = caller.microphone.say(interjection)
        silent_at = await caller.ear.hears_silence(seconds=0.5, within_s=spoken_s + 5)
        assert silent_at - barged_in_at < 1.5
        await caller.ear.hears_voice(seconds=1, since=silent_at + 0.5)
        await caller.ear.hears_silence(seconds=1)
        turns = server.turns(caller.session["sessionId"])
    assert [t["side"] for t in turns] == ["bot", "user", "bot", "user", "bot"]
    assert [t["interrupted"] for t in turns] == [False, False, True, False, False]


async def test_typing_during_the_answer_cuts_it_and_is_answered(server):
    async with Caller(server.url) as caller:
        await greeted(caller)
        typed_at = time.monotonic()
        caller.types("count to 60")
        await caller.ear.hears_voice(seconds=3, since=typed_at)
        caller.types("the weather is nice")
        await caller.bot_said("weather")
        await caller.ear.hears_silence(seconds=1)
        turns = server.turns(caller.session["sessionId"])
    assert [t["side"] for t in turns] == ["bot", "user", "bot", "user", "bot"]
    cut = turns[2]
    assert cut["interrupted"] and cut["tokens"]
    assert " 3," in cut["text"]
    assert " 30," not in cut["text"]  # sent, but not heard


async def test_camera_and_screen_are_told_apart(server):
    red, blue = Camera(color=(200, 20, 20)), Camera(color=(20, 20, 200))
    async with Caller(server.url, camera=red, screen=blue) as caller:
        await greeted(caller)
        caller.types("What do you see?")
        transcript = await caller.bot_said("blue")
    assert "camera" in transcript and "red" in transcript and "screen" in transcript


async def test_an_unknown_persona_is_refused_with_the_names_that_there_are(server):
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/start", json={"body": {"persona": "nobody"}})
    assert answer.status_code == 400
    assert "art-critic, companion, screen-helper" in answer.json()["detail"]


async def test_the_page_is_told_who_answers(server):
    async with Caller(server.url, persona="art-critic") as caller:
        told = await caller.hears("server-message", type="session")
        link = await caller.hears("server-message", type="link", state="ready")
    assert told == {
        "type": "session",
        "persona": "art-critic",
        "title": "Art critic",
        "model": "gemini-3.8-live",
        "offline": True,
        "voice": "Puck",
        "language": "en-US",
        "answers": "voice",
        "time_limit_s": 1800.0,
    }
    assert link["text"]
