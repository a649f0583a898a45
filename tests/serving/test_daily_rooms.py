"""Daily rooms with the real server: made for who asks, entered with a guest's token, and deleted."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from pipeline.settings import ROOT, Settings
from serving.session_rooms import AGAIN_S
from tests.support.phone_site import CALLED, a_call, until
from tests.support.server import Server, free_port, running_server
from understudy.daily import DailyStandIn, Phone
from understudy.daily.rooms import read_token

KEY = "daily-planted-key"
TINY = ("-m", "tests.support.tiny_server")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def daily() -> AsyncIterator[DailyStandIn]:
    async with DailyStandIn(api_key=KEY) as daily:
        yield daily


@contextlib.asynccontextmanager
async def served(daily: DailyStandIn, folder: Path, run_dir: Path) -> AsyncIterator[Server]:
    """A server, with the stand-in that it asks in this process."""
    running = running_server(
        folder,
        program=TINY,
        GOOGLE_API_KEY="nobody asks for it",
        DAILY_API_KEY=KEY,
        DAILY_API_URL=daily.url,
        DAILY_PINLESS_HMAC_SECRET=daily.hmac,
        SALON_RUN_DIR=str(run_dir),
        SALON_MAX_SESSIONS="2",
    )
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(daily: DailyStandIn, tmp_path_factory) -> AsyncIterator[Server]:
    folders = tmp_path_factory.mktemp("daily"), tmp_path_factory.mktemp("run")
    async with served(daily, *folders) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def http(daily: DailyStandIn, server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        yield http
    await until(lambda: not daily.rooms)


async def end(http: httpx.AsyncClient, session_id: str) -> None:
    assert (await http.delete(f"/sessions/{session_id}")).status_code == 204
    params = {"wait_s": 10}
    told = (await http.get(f"/sessions/{session_id}", params=params)).json()
    assert told["state"] == "ended"


async def test_a_room_is_made_for_who_asks_and_deleted_with_the_session(daily, server, http):
    for body in ({"transport": "daily"}, {"createDailyRoom": True}):
        answer = await http.post("/start", json=body)
        assert answer.status_code == 200, answer.text
        started = answer.json()
        ((name, room),) = daily.rooms.items()
        assert started["dailyRoom"] == room.record.url
        claims = read_token(started["dailyToken"], key=KEY)
        assert claims["r"] == name and not claims.get("o")
        assert claims["exp"] == room.record.config["exp"]
        told = await http.get(f"/sessions/{started['sessionId']}")
        assert told.json() == {"state": "running"}
        await end(http, started["sessionId"])
        await until(lambda: not daily.rooms)
    assert KEY not in server.log()


@pytest.mark.parametrize("what", ["POST /rooms", "POST /meeting-tokens"])
async def test_without_a_room_there_is_no_call_and_its_slot_is_free(daily, server, http, what):
    for _ in range(4):  # of two slots
        daily.fail(what, status=401)
        answer = await http.post("/start", json={"createDailyRoom": True})
        assert answer.status_code == 502 and answer.json()["detail"].endswith(".")
        assert KEY not in answer.text + server.log()


async def test_rooms_that_a_killed_server_left_are_deleted_and_others_with_their_server(
    daily, tmp_path_factory, short_folder
):
    async with served(daily, tmp_path_factory.mktemp("killed"), short_folder) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            answer = await http.get("/daily")
        address, token = answer.headers["Location"].split("?t=")
        ((name, room),) = daily.rooms.items()
        assert answer.status_code == 307 and address == room.record.url
        assert not read_token(token, key=KEY).get("o")
        server.process.kill()
        await asyncio.to_thread(server.process.wait, 10)
    (kept,) = short_folder.glob("*.room")
    long_ago_s = time.time() - AGAIN_S - 1
    os.utime(kept, (long_ago_s, long_ago_s))
    async with served(daily, tmp_path_factory.mktemp("next"), short_folder) as server:
        await until(lambda: name not in daily.rooms and not kept.exists())
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            assert (await http.post("/start", json={"transport": "daily"})).status_code == 200
        assert len(daily.rooms) == 1
        server.process.terminate()
        await asyncio.to_thread(server.process.wait, 20)
        assert daily.rooms == {}


async def test_a_call_that_is_dialled_gets_a_bot(daily, server, http):
    daily.own_number(CALLED, f"{server.url}/daily-dialin-webhook")
    call = await Phone(daily.url).dial(CALLED, caller="+15550200001")
    await until(lambda: len(daily.rooms) == 1)
    assert call.state == "on hold"
    await call.hang_up()
    daily.domain.delete(next(iter(daily.rooms)))  # the tiny bot does not see them leave


async def test_a_webhook_that_is_not_signed_starts_nothing(daily, server, http):
    answer = await http.post("/daily-dialin-webhook", json=a_call())
    assert answer.status_code == 401 and daily.rooms == {}


async def test_a_room_of_ones_own_is_joined_without_a_key_and_the_server_ends_with_the_call(daily):
    environment = {k: v for k, v in os.environ.items() if k not in Settings.variables()}
    environment["GOOGLE_API_KEY"] = "nobody asks the model"
    room = f"{daily.domain.site}/over"
    command = [sys.executable, *TINY, "--port", str(free_port()), "--room", room]
    answer = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert answer.returncode == 0, answer.stderr
    assert f"In the room {room} too" in answer.stdout
    assert "The call in the room has ended. The call is over." in answer.stdout


async def test_what_is_no_room_is_said_in_a_sentence():
    answer = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "runner.py", "--room", "https://you.daily.co/?t=a-token"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 2 and "a-token" not in answer.stderr
    assert re.search(r"--room: .* is not the address of a Daily room; for example", answer.stderr)
