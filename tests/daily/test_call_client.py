"""The stand-in for `CallClient` does what daily-python's own does, as far as that works offline."""

import asyncio
import json
import subprocess
import sys
import threading
import time

import pytest

from pipeline.settings import ROOT
from tests.daily.support import room
from tests.support.sound import tone
from understudy.daily import DailyStandIn, Guest
from understudy.daily.call_client import CallClient
from understudy.daily.sources import CustomAudioSource

OUTSIDE_A_ROOM = """
import json, sys, time
if sys.argv[1] == "daily-python":
    from daily import CallClient, CustomAudioSource, Daily, EventHandler
    Daily.init()
else:
    from understudy.daily.call_client import CallClient
    from understudy.daily.sources import CustomAudioSource
    EventHandler = object
told, ID = [], "715f9a38-0e64-4aa2-bc7e-393b185347df"

class Handler(EventHandler):
    def on_error(self, message): told.append(["on_error", message])
    def on_call_state_updated(self, state): told.append(["state", state])

def done(name): return lambda *args: told.append([name, *args])

client = CallClient(event_handler=Handler())
client.send_app_message({"a": 1}, completion=done("app"))
client.send_prebuilt_chat_message("hi", completion=done("chat"))
client.start_dialout({"phoneNumber": "+1555"}, completion=done("dial"))
client.stop_dialout(ID, completion=done("stop"))
client.send_dtmf({"sessionId": ID, "tones": "1"}, completion=done("dtmf"))
client.send_dtmf({"tones": "1"}, completion=done("dtmf without"))
client.sip_call_transfer({"sessionId": ID, "toEndPoint": "+1"}, completion=done("transfer"))
client.sip_refer({"sessionId": ID, "toEndPoint": "+1"}, completion=done("refer"))
client.start_recording(completion=done("record"))
client.start_transcription(completion=done("transcribe"))
client.eject_remote_participants([ID], completion=done("eject"))
client.update_subscription_profiles({"base": {"camera": "unsubscribed"}}, completion=done("prof"))
client.join("notaurl", completion=done("join"))
client.leave(completion=done("leave"))
source, begun = CustomAudioSource(24000, 1), time.monotonic()
written = []
source.write_frames(bytes(9600), completion=lambda n: written.append([n, time.monotonic()-begun]))
source.write_frames(bytes(960), completion=lambda n: written.append([n, time.monotonic()-begun]))
sync = source.write_frames(bytes(960))
time.sleep(0.3)
local = client.participants()["local"]
counts = client.participant_counts()
client.release()
try:
    client.participants()
except RuntimeError as error:
    told.append(["released", str(error)])
print(json.dumps({"told": sorted(map(json.dumps, told)), "written": written, "sync": sync,
    "local": sorted(local), "info": sorted(local["info"]), "media": local["media"],
    "counts": counts}))
"""


@pytest.fixture(scope="module")
def both() -> tuple[dict, dict]:
    """What daily-python does without a room, and what the stand-in does."""
    theirs, ours = (
        subprocess.Popen(
            [sys.executable, "-c", OUTSIDE_A_ROOM, which],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for which in ("daily-python", "stand-in")
    )
    outputs = [process.communicate(timeout=30)[0] for process in (theirs, ours)]
    return json.loads(outputs[0]), json.loads(outputs[1])


@pytest.mark.parametrize("what", ["told", "sync", "local", "media", "counts"])
def test_without_a_room_both_say_the_same(both: tuple[dict, dict], what: str):
    theirs, ours = both
    assert ours[what] == theirs[what]


def test_both_play_sound_at_the_pace_of_speech(both: tuple[dict, dict]):
    for counts_and_times in (one["written"] for one in both):
        (first, first_s), (second, second_s) = counts_and_times
        assert (first, second) == (4800, 480)
        assert first_s == pytest.approx(0.2, abs=0.08)
        assert second_s == pytest.approx(0.22, abs=0.08)


class Slow:
    """A handler that takes its time, and knows on which threads it was called."""

    def __init__(self):
        self.threads: set[str] = set()
        self.is_slow = threading.Event()

    def on_participant_joined(self, participant: dict) -> None:
        self.threads.add(threading.current_thread().name)
        self.is_slow.wait(1)


async def test_a_slow_handler_holds_up_neither_sound_nor_the_event_loop(daily: DailyStandIn):
    made, token = await room(daily)
    handler, heard, lags_s = Slow(), [], []
    client = CallClient(event_handler=handler)
    joined = asyncio.Event()
    loop = asyncio.get_running_loop()
    client.join(made.url, token, completion=lambda *_: loop.call_soon_threadsafe(joined.set))
    async with asyncio.timeout(3):
        await joined.wait()
    async with await Guest.join(made.url) as guest:
        client.set_audio_renderer(guest.id, lambda *args: heard.append(args), sample_rate=16_000)
        guest.say(tone(0.5, 48_000))
        for _ in range(50):
            asked_s = time.perf_counter()
            client.send_app_message({"n": 1})
            client.participants()
            lags_s.append(time.perf_counter() - asked_s)
            await asyncio.sleep(0.01)
        await guest.until(lambda: sum(any(one[1].audio_frames) for one in heard) > 20, within_s=2)
    handler.is_slow.set()
    await asyncio.to_thread(client.release)
    assert handler.threads == {"daily-events"}
    assert {(one[1].sample_rate, one[1].num_audio_frames, one[2]) for one in heard} == {
        (16_000, 320, "microphone")
    }
    assert sorted(lags_s)[len(lags_s) * 9 // 10] < 0.01


async def test_nothing_is_called_back_after_release(daily: DailyStandIn):
    made, token = await room(daily)
    heard: list[float] = []
    client = CallClient()
    async with await Guest.join(made.url) as guest:
        client.join(made.url, token)
        await guest.until(lambda: guest.id in client.participants(), within_s=2)
        client.set_audio_renderer(guest.id, lambda *_: heard.append(time.monotonic()))
        await guest.until(lambda: heard, within_s=2)
        await asyncio.to_thread(client.release)
        released_s = time.monotonic()
        await guest.until(lambda: not guest.participants, within_s=2)
        guest.say(tone(0.1, 48_000))
        await guest.said()
    assert not [at_s for at_s in heard if at_s > released_s + 0.05]


async def test_a_source_without_a_listener_plays_all_the_same():
    source, played = CustomAudioSource(16_000, 1), asyncio.Event()
    loop, began_s = asyncio.get_running_loop(), time.monotonic()
    source.write_frames(bytes(6400), lambda _count: loop.call_soon_threadsafe(played.set))
    async with asyncio.timeout(2):
        await played.wait()
    assert time.monotonic() - began_s >= 0.2
