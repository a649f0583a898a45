"""Captures and their replay."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from google.genai import types

from tests.understudy.test_conformance import generation, session, wait_for_event
from understudy import ScenarioError, Understudy
from understudy.acts import Raw, Reset
from understudy.capture import Capture
from understudy.effects import Close, Note, Send
from understudy.replay import Replay, load_recording
from understudy.wire import parse

REAL = Path(__file__).parent / "recordings" / "gemini-3.8-live.jsonl"
SETUP = {"setup": {"model": "models/gemini-3.8-live"}}
AUDIO = {"realtimeInput": {"audio": {"data": "AAAA", "mimeType": "audio/pcm;rate=16000"}}}
TYPED = {"realtimeInput": {"text": "hi"}}


def replay(tmp_path: Path, *lines: object) -> Replay:
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return Replay(load_recording(path))


def client(t: float, message: object) -> dict:
    return {"t": t, "from": "client", "message": message}


def server(t: float, message: object) -> dict:
    return {"t": t, "from": "server", "message": message}


def say(player: Replay, message: object, now_s: float) -> list:
    (heard,) = parse(json.dumps(message))
    return player.receive(heard, now_s)


def play(player: Replay, until_s: float) -> list:
    """What comes until then: (seconds, act)."""
    played = []
    while (due_s := player.next_due_s) is not None and due_s <= until_s:
        played += [(round(due_s, 3), act) for act in player.tick(due_s)]
    return played


def test_frames_of_the_real_service_come_at_the_recorded_times():
    player = Replay(load_recording(REAL))
    assert say(player, SETUP, 100) == []
    (complete, handle) = play(player, 101)
    assert complete == (100.812, Send({"setupComplete": {}}))
    assert handle[0] == 100.825
    say(player, AUDIO, 200)
    say(player, AUDIO, 200.02)
    played = play(player, 210)
    assert played[0][0] == 200.448  # 1.348 - 0.9
    assert played[-1][0] == 205.09
    assert played[-1][1].message["usageMetadata"]["thoughtsTokenCount"] == 40
    assert player.next_due_s is None


async def test_google_genai_understands_a_replay():
    async with Understudy(replay=REAL) as understudy, session(understudy) as live:
        await live.send_realtime_input(
            audio=types.Blob(data=bytes(640), mime_type="audio/pcm;rate=16000")
        )
        answer = await generation(live)
        assert answer.said == "Hello Marcelo, nice to meet you."
        assert answer.heard == "Hello, my name is Marcelo."
        assert len(answer.audio) == 24


async def test_a_session_is_captured_and_replays(tmp_path):
    async with Understudy(capture_dir=tmp_path / "c") as understudy:
        async with session(understudy) as live:
            await live.send_realtime_input(text="hello")
            first = await generation(live)
        await wait_for_event(understudy, "closed")
    (path,) = (tmp_path / "c").glob("*.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert list(lines[0]["message"]) == ["setup"]
    assert (lines[-1]["from"], lines[-1]["close"]["code"]) == ("client", 1000)
    assert "any" not in {str(value) for line in lines for value in line.values()}
    assert len(list((tmp_path / "c" / "media").iterdir())) > 3
    async with Understudy(replay=path) as understudy, session(understudy) as live:
        await live.send_realtime_input(text="hello")
        again = await generation(live)
    assert (again.said, again.audio) == (first.said, first.audio)


async def test_an_end_by_the_server_is_captured(tmp_path):
    async with Understudy(capture_dir=tmp_path, faults=["invalid-json", "rst"]) as understudy:
        with pytest.raises(ValueError, match="Failed to parse"):
            async with asyncio.timeout(5), session(understudy) as live:
                async for _ in live.receive():
                    pass
        await wait_for_event(understudy, "closed")
    (path,) = tmp_path.glob("*.jsonl")
    player = Replay(load_recording(path))
    at_once = say(player, SETUP, 0)  # what came within a millisecond
    *_, broken, end = [*at_once, *(act for _, act in play(player, 5))]
    assert broken == Raw(b"<html><title>502 Bad Gateway</title></html>")
    assert end == Reset()


def test_an_answer_waits_for_its_message(tmp_path):
    recorded = [client(0, SETUP), server(1, {"setupComplete": {}})]
    recorded += [client(2, TYPED), server(2.5, {"a": 1}), client(3, TYPED), server(3, {"b": 1})]
    player = replay(tmp_path, *recorded)
    say(player, SETUP, 10)
    assert [t for t, _ in play(player, 60)] == [11]
    say(player, TYPED, 60)
    say(player, TYPED, 60.1)
    assert play(player, 90) == [(60.5, Send({"a": 1})), (60.5, Send({"b": 1}))]
    assert say(player, TYPED, 90) == [Note("unmatched", {"kind": "text"})]


def test_streams_need_not_be_sent(tmp_path):
    recorded = [client(0, SETUP), client(1, AUDIO), server(2, {"a": 1}), client(3, TYPED)]
    player = replay(tmp_path, *recorded, server(4, {"b": 1}))
    say(player, SETUP, 0)
    assert say(player, {"clientContent": {"turnComplete": True}}, 0) != []
    say(player, TYPED, 10)
    assert play(player, 20) == [(11, Send({"b": 1}))]


def test_a_recorded_close_is_played(tmp_path):
    end = {"t": 3, "from": "server", "close": {"code": 1011, "reason": "Internal error."}}
    player = replay(tmp_path, client(0, SETUP), end)
    say(player, SETUP, 0)
    assert play(player, 5) == [(3, Close(1011, "Internal error."))]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("x", "x.jsonl line 2: a line is JSON with t, from and message"),
        ('{"t": 0}', "x.jsonl line 2: a line is JSON with t, from and message"),
        ('{"t": 0, "from": "server"}', "x.jsonl line 2: the server's lines have message, frame"),
        ('{"t":0,"from":"server","frame":"%"}', "x.jsonl line 2: frame has to be base64"),
        ('{"t":0,"from":"server","close":{"code":5}}', "x.jsonl line 2: no connection can be"),
        (
            '{"t":0,"from":"server","message":{"data":{"$media":"../x"}}}',
            "x.jsonl line 2: $media has to be the SHA-256 of a file in media/",
        ),
    ],
)
def test_a_bad_recording_is_told_in_one_sentence(tmp_path, line, sentence):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(client(0, SETUP)) + "\n" + line)
    with pytest.raises(ScenarioError) as caught:
        load_recording(path)
    assert str(caught.value).startswith(sentence)


def test_an_empty_or_headless_recording_is_told(tmp_path):
    (tmp_path / "x.jsonl").write_text("\n")
    with pytest.raises(ScenarioError, match="nothing recorded"):
        load_recording(tmp_path / "x.jsonl")
    with pytest.raises(ScenarioError, match="begins with the client's setup"):
        replay(tmp_path, server(0, {}))


def test_media_lie_beside_the_capture_once(tmp_path):
    capture = Capture(tmp_path / "x.jsonl", clock=lambda: 1.0)
    frame = json.dumps(
        {"realtimeInput": {"video": {"data": "_9j_" * 20, "mimeType": "image/jpeg"}}}
    )
    capture.message("client", frame)
    capture.message("client", frame)
    capture.close("server", 1000, "")
    (medium,) = (tmp_path / "media").iterdir()
    assert medium.read_bytes() == b"\xff\xd8\xff" * 20
    line = json.loads((tmp_path / "x.jsonl").read_text().splitlines()[0])
    data = line["message"]["realtimeInput"]["video"]["data"]
    assert data == {"$media": medium.name, "bytes": 60}
