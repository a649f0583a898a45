"""Over real WebRTC: what a caller's page is told of what is heard, seen, run and cited."""

import asyncio
import base64
import functools
import io
import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from PIL import Image

import bot
from pipeline import choices
from pipeline.build import build
from pipeline.persona import load_persona
from pipeline.pictures import THUMBNAIL_PX
from pipeline.settings import ROOT
from tests.support.caller import BotDoor, Caller
from tests.support.media import Camera
from tests.support.speech import speech
from tests.support.understudies import understudy_in
from tests.test_first_light import greeted
from tests.test_page_news import get_weather

SAID = (
    "The lighthouse stands on a small rock in the north, and the wind never rests there, "
    "so nobody wants to stay."
)
REMARK = "Stop, that is enough. Thank you very much."

# The voice's library is under the GPL: it is loaded by the understudy's processes only.
_TIMES = """
import json, re, sys
import numpy as np
from understudy.effects import Voice
from understudy.espeak import speak
from understudy.speaking import espeak_voice

voice, times_s = espeak_voice(Voice(sys.argv[1])), []
for word in re.finditer(r"\\S+", sys.argv[2]):
    pcm = speak(sys.argv[2][: word.end()], voices=voice.names, pitch=voice.pitch)
    samples = np.frombuffer(pcm, np.int16) / 32768
    frames = samples[: len(samples) // 480 * 480].reshape(-1, 480)
    times_s.append(0.02 * int(np.sum(np.sqrt(np.mean(frames**2, axis=1)) > 0.01)))
print(json.dumps(times_s))
"""


@functools.cache
def said_by_s() -> list[float]:
    """How much voice the companion needs to say its answer to `SAID` up to each word.

    Pauses are left out: on a busy machine there are more of them.
    """
    voice = load_persona("companion").voice
    command = [sys.executable, "-c", _TIMES, voice, f"You typed: {SAID}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return json.loads(made.stdout)


async def cut(caller: Caller, *, aloud: bool) -> tuple[str, float]:
    """Have it repeat something, and break in; what is told to be heard, and how much voice was."""
    asked_at = time.monotonic()
    before = len(cuts(caller))
    caller.types(SAID)
    await caller.ear.hears_voice(seconds=2, since=asked_at)
    if aloud:
        caller.microphone.say(speech(REMARK))
    else:
        caller.types("the weather is nice")
    await caller.ear.hears_silence(seconds=0.3)
    heard_s = caller.ear.voice_s(since=asked_at)
    async with asyncio.timeout(5):
        while len(cuts(caller)) == before:
            await asyncio.sleep(0.02)
    (told,) = cuts(caller)[before:]
    return told["heard"], heard_s


def cuts(caller: Caller) -> list[dict]:
    return [m for m in caller.told("server-message") if m["type"] == "interrupted"]


@pytest.mark.parametrize("aloud", [False, True], ids=["typing", "speaking"])
async def test_of_a_cut_answer_is_told_what_was_heard_to_the_word(server, aloud):
    said_by_s()
    speech(REMARK)  # made beforehand
    async with Caller(server.url) as caller:
        await greeted(caller)
        heard, heard_s = await cut(caller, aloud=aloud)
        await caller.bot_said("decibels" if aloud else "weather")
        await caller.ear.hears_silence(seconds=1)
        turns = server.turns(caller.session["sessionId"])
    times_s = [0.0, *said_by_s()]
    halves_s = [(begun + done) / 2 for begun, done in pairwise(times_s)]
    count = sum(half_s <= heard_s for half_s in halves_s)
    assert count > 5 and f"You typed: {SAID}".startswith(heard)
    assert len(heard.split()) == pytest.approx(count, abs=1), (heard, heard_s)
    assert heard in [turn["text"] for turn in turns if turn["interrupted"]]


async def measured(caller: Caller) -> str:
    """The server's metrics, once the session has told it of the line: it does so now and then."""
    async with asyncio.timeout(15):
        while True:
            metrics = (await caller.door.http.get("/metrics")).text  # pyright: ignore
            if 'salon_network_rtt_seconds_bucket{le="0.05",path="udp"} 1.0' in metrics:
                return metrics
            await asyncio.sleep(0.2)


async def test_what_the_model_sees_and_how_the_line_is_are_known(server):
    async with Caller(server.url, camera=Camera(color=(20, 20, 200))) as caller:
        first = await caller.hears("server-message", type="looking")
        await caller.ear.hears_voice(seconds=1)
        await caller.ear.hears_silence(seconds=1)
        caller.measures(rtt_ms=45, loss=0.02, jitter_ms=None, available_bps=None, path="udp")
        caller.types("the weather is nice")
        await caller.bot_said("weather")
        await caller.ear.hears_silence(seconds=1)
        metrics = await measured(caller)
        turns = server.turns(caller.session["sessionId"])
    assert (first["source"], first["width"]) == ("camera", 320)
    jpeg = base64.b64decode(first["jpeg"])
    small = Image.open(io.BytesIO(jpeg)).convert("RGB")
    assert max(small.size) == THUMBNAIL_PX and len(jpeg) < 6_000
    assert small.getpixel((80, 20))[2] > 150, "it is the caller's blue"  # pyright: ignore
    assert 'salon_network_loss_ratio_bucket{le="0.02",path="udp"} 1.0' in metrics
    assert turns[-1]["network"]["rtt_ms"] == 45


async def test_functions_and_sources_reach_the_page(monkeypatch, tmp_path):
    persona = load_persona("companion").model_copy(update={"search": True})
    monkeypatch.setattr(choices, "load_persona", lambda name: persona)
    monkeypatch.setattr(bot, "build", functools.partial(build, tools=[get_weather]))
    async with understudy_in(monkeypatch, tmp_path), Caller(BotDoor()) as caller:
        await greeted(caller)
        caller.types("get_weather for Oslo")
        stopped = await caller.hears("llm-function-call-stopped")
        assert stopped["function_name"] == "get_weather" and "result" not in stopped
        await caller.bot_said("degrees 5")
        caller.types("search for tea in London")
        found = await caller.hears("bot-llm-search-response")
        assert [origin["site_title"] for origin in found["origins"]] == [
            "example.org",
            "example.com",
        ]
    for kind in ("llm-function-call-started", "llm-function-call-in-progress"):
        assert [call["function_name"] for call in caller.told(kind)] == ["get_weather"]
