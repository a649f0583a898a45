"""One call breaks, in every way there is: its user is told, its slot is free, nobody else notices."""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest

from tests.support.caller import Caller, http_client
from tests.support.server import Server, running_server

SLOTS = 2
FREE_WITHIN_S = 5.0
AFTER_S = 3.0
"""How long a call goes well before it breaks."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("faults"),
        "--offline",
        program=("-m", "tests.support.faulty"),
        SALON_MAX_SESSIONS=str(SLOTS),
        SALON_SESSION_MEMORY_MB="200",
    ) as server:
        yield server


@contextlib.asynccontextmanager
async def neighbour(server: Server) -> AsyncIterator[Caller]:
    """Somebody who listens to a long answer meanwhile."""
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
        caller.types("count to 60")
        await caller.ear.hears_voice(seconds=1)
        yield caller


async def slot_is_free(server: Server, *, within_s: float) -> bool:
    """Whether a further call is accepted in that time; it is given up again."""
    async with http_client(server.url) as http:
        deadline = time.monotonic() + within_s
        while True:
            answer = await http.post("/start")
            if answer.status_code == 200:
                await http.delete(f"/sessions/{answer.json()['sessionId']}")
                return True
            assert answer.status_code == 503
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)


def process_of(server: Server, caller: Caller) -> int:
    """The process of a session, as the server logs it."""
    session_id = caller.session["sessionId"].partition(".")[0]
    found = re.search(rf"Session {session_id} begins in process (\d+)", server.log())
    assert found
    return int(found[1])


def hit(number: signal.Signals) -> Callable[[Server, Caller], None]:
    return lambda server, caller: os.kill(process_of(server, caller), number)


def talk(server: Server, caller: Caller) -> None:
    """So that there is something to write down."""
    caller.types("the weather is nice")


BREAKS: dict[str, tuple[dict, Callable[[Server, Caller], None] | None, str]] = {
    "SIGKILL": ({}, hit(signal.SIGKILL), "crashed"),
    "SIGSTOP": ({}, hit(signal.SIGSTOP), "hung"),
    "memory": ({"fault": "grow"}, None, "memory"),
    "blocked loop": ({"fault": "block"}, None, "hung"),
    "blocked interpreter": ({"fault": "block in C"}, None, "hung"),
    "segmentation fault": ({"fault": "crash"}, None, "crashed"),
    "exit": ({"fault": "leave"}, None, "crashed"),
    "exception in a processor": ({"fault": "raise"}, None, "finished"),
    "full disk": ({"fault": "fill disk"}, talk, "finished"),
}


@pytest.mark.alone
@pytest.mark.parametrize("name", BREAKS)
async def test_a_call_that_breaks_is_one_call(server: Server, name: str):
    choices, break_it, reason = BREAKS[name]
    async with neighbour(server) as other:
        begun_s = time.monotonic()
        async with Caller(server.url, choices={**choices, "after_s": AFTER_S}) as caller:
            if break_it:
                await asyncio.sleep(AFTER_S)
                break_it(server, caller)
            broken_s = max(time.monotonic(), begun_s + AFTER_S)
            assert not await slot_is_free(server, within_s=0)
            told = await caller.is_told_the_end(within_s=FREE_WITHIN_S + 2)
            assert told["reason"] == reason
            assert told["text"].endswith(".")
            assert await slot_is_free(server, within_s=broken_s + FREE_WITHIN_S - time.monotonic())
        since, length_s = broken_s, time.monotonic() - broken_s
        before_s = other.lateness_s(since=since - AFTER_S, until=since)
        during_s = other.lateness_s(since=since, until=since + length_s)
        assert during_s < max(0.2, 2 * before_s)
        assert not other.hung_up.is_set()
    assert not psutil.pid_exists(process_of(server, caller))


@pytest.mark.parametrize("fault", ["clock forward", "clock back"])
async def test_a_clock_that_is_moved_ends_no_call(server: Server, fault: str):
    async with Caller(server.url, choices={"fault": fault, "after_s": AFTER_S}) as caller:
        await caller.bot_said("understudy")
        await asyncio.sleep(AFTER_S + 2)
        caller.types("the weather is nice")
        await caller.bot_said("weather")
        caller.types("the sea is calm")
        await caller.bot_said("sea")
        assert not caller.hung_up.is_set()
        signed = caller.session["sessionId"]
    days = {turn["start"][:10] for turn in server.turns(signed) if "start" in turn}
    assert len(days) == 2, "the clock has not moved"


@pytest.mark.alone
def test_a_blocked_loop_is_in_the_log_with_its_stack(server: Server):
    """The tests above have blocked two."""
    log = server.log()
    assert "its event loop is blocked" in log
    assert "faulty.py" in log and "in block" in log
