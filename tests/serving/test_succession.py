"""A second server takes over the port: nobody is refused, no call is lost, the first one leaves."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
from starlette.status import HTTP_200_OK

from pipeline.settings import ROOT
from tests.support.caller import Caller, HttpDoor
from tests.support.server import running_server


class StartedBefore(HttpDoor):
    """Begins a session that was accepted earlier."""

    def __init__(self, url: str, started: dict):
        super().__init__(url)
        self._started = started

    async def start(self, body: dict) -> dict:
        return self._started


@contextlib.asynccontextmanager
async def closing(door: HttpDoor) -> AsyncIterator[HttpDoor]:
    try:
        yield door
    finally:
        await door.close()


async def knocking(url: str, answers: list[int]) -> None:
    """A client that connects anew all the time."""
    while True:
        async with httpx.AsyncClient(base_url=url) as http:
            answers.append((await http.get("/healthz")).status_code)
        await asyncio.sleep(0.02)


async def test_a_second_server_takes_over_without_a_gap(tmp_path):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    answers: list[int] = []
    with running_server(folders[0], "--offline", SALON_DRAIN_S="60") as first:
        knocks = asyncio.create_task(knocking(first.url, answers))
        async with Caller(first.url) as caller:
            await caller.bot_said("understudy")
            async with closing(HttpDoor(first.url)) as door:
                waiting = await door.start({"persona": "art-critic"})
            port = int(first.url.rpartition(":")[2])
            with running_server(folders[1], "--offline", "--take-over", port=port) as second:
                while "Salon is open" not in second.log():
                    await asyncio.sleep(0.1)
                assert "Another server has taken over" in first.log()

                # What the first has begun goes on, and its routes are served by the second.
                caller.types("the weather is nice")
                await caller.bot_said("weather")
                async with httpx.AsyncClient(base_url=first.url) as http:
                    signed = caller.session["sessionId"]
                    assert (await http.get(f"/sessions/{signed}")).json()["state"] == "running"

                # What the first has accepted begins with the second.
                async with Caller(StartedBefore(first.url, waiting)) as other:
                    await other.bot_said("understudy")
                    assert other.session["sessionId"] == waiting["sessionId"]
                assert "art-critic is connected" in second.log()

                async with httpx.AsyncClient(base_url=first.url) as http:
                    await http.delete(f"/sessions/{signed}")
                assert (await caller.is_told_the_end())["reason"] == "finished"
                assert await asyncio.to_thread(first.process.wait, 10) == 0
                assert len(first.turns(signed)) >= 2
                knocks.cancel()
    assert set(answers) == {HTTP_200_OK}
    assert first.process.returncode == 0


async def test_a_server_that_drains_ends_with_its_last_call(tmp_path):
    with running_server(tmp_path, "--offline", SALON_DRAIN_S="60") as server:
        async with Caller(server.url) as caller, httpx.AsyncClient(base_url=server.url) as http:
            await caller.bot_said("understudy")
            assert (await http.get("/readyz")).status_code == HTTP_200_OK
            server.process.send_signal(signal.SIGTERM)
            while (await http.get("/readyz")).status_code == HTTP_200_OK:
                await asyncio.sleep(0.05)
            refused = await http.post("/start")
            assert refused.status_code == 503 and refused.headers["retry-after"]
            assert "closing" in refused.json()["detail"]
            caller.types("the weather is nice")
            await caller.bot_said("weather")
            assert server.process.poll() is None
        assert await asyncio.to_thread(server.process.wait, 10) == 0


async def test_calls_that_go_on_too_long_are_told_that_the_server_closes(tmp_path):
    with running_server(tmp_path, "--offline", SALON_DRAIN_S="2") as server:
        async with Caller(server.url) as caller:
            await caller.bot_said("understudy")
            server.process.send_signal(signal.SIGTERM)
            ended = await caller.hears("server-message", type="ended", within_s=8)
            assert ended["text"] == "The server is closing."
        assert await asyncio.to_thread(server.process.wait, 10) == 0


def test_there_must_be_somebody_to_take_over_from(tmp_path):
    command = [sys.executable, "runner.py", "--offline", "--take-over", "--port", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "There is no server" in ended.stderr and "Traceback" not in ended.stderr
