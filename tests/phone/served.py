"""The server as a process, with a number at the stand-in for Daily that rings it."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from tests.support.server import Server, running_server
from understudy.daily import Phone
from understudy.daily.phone import PhoneCall as Telephone

RUN = "run"
GREETING = '- {say: "Hello, how can I help you?", turn: 1}\n'
LINE_HZ = 8000
"""What telephones hear."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server that telephones can reach.

    Parameters:
        server: The process.
        daily: Where the stand-in for Daily is.
        number: What is dialled.
        calls: Those of this test.
    """

    server: Server
    daily: str
    number: str
    calls: list[Telephone] = field(default_factory=list)

    async def ring(self, caller: str, **more: Any) -> Telephone:
        """Somebody calls."""
        call = await Phone(self.daily).dial(self.number, caller=caller, **more)
        self.calls.append(call)
        return call

    async def hang_up(self) -> None:
        """End all calls; every test is to."""
        await asyncio.gather(*(call.hang_up() for call in self.calls))
        self.calls.clear()

    async def connected(self, caller: str) -> Telephone:
        """Somebody who was picked up and has heard the greeting."""
        call = await self.ring(caller)
        await call.until(lambda: call.heard, within_s=15)
        await quiet(call)
        return call

    async def order(self, what: str, /, **fields: Any) -> None:
        """Have the stand-in do something; see understudy/daily/README.md."""
        await self._ask("POST", f"/control/{what}", fields)

    async def all_well(self) -> None:
        """Take back all failures that were ordered."""
        await self._ask("DELETE", "/control/fail", None)

    async def seen(self, what: str) -> Any:
        """What the stand-in shows: `rooms`, `calls`, `called`, `records`."""
        return await self._ask("GET", f"/control/{what}", None)

    async def no_room_is_left(self, *, within_s: float = 10) -> None:
        """Wait until the stand-in has no room, and the server no session that runs or will."""
        async with asyncio.timeout(within_s):
            while (
                await self.seen("rooms")
                or await self.sessions()
                or any((self.server.folder / RUN).glob("*.start"))
            ):
                await asyncio.sleep(0.1)

    async def sessions(self) -> float:
        """How many sessions the server has."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.server.url}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("salon_sessions{"))

    def log(self, caller: str) -> list[dict[str, Any]]:
        """The turn log of the call that somebody made, or got."""
        for path in (self.server.folder / "turns").glob("*.jsonl"):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            calls = [line for line in lines if line.get("event") == "call"]
            if any(caller in (call["caller"], call["called"]) for call in calls):
                return lines
        return []

    def noted(self, caller: str, event: str) -> list[dict[str, Any]]:
        """What that log has of one event, without what all its lines have."""
        lines = [line for line in self.log(caller) if line.get("event") == event]
        common = ("session", "event", "at")
        return [{k: v for k, v in line.items() if k not in common} for line in lines]

    async def end(self, caller: str, *, within_s: float = 10) -> tuple[str, str]:
        """Wait until the session of a call has ended, and tell why it has."""
        async with asyncio.timeout(within_s):
            while not (ends := self.noted(caller, "end")):
                await asyncio.sleep(0.1)
        (end,) = ends
        return end["reason"], end["text"]

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        url = self.daily.removesuffix("/v1") + path
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, json=body) as answer,
        ):
            told = await answer.json()
            assert answer.status == 200, told
            return told["answer"]


@contextlib.contextmanager
def served(folder: Path, *, menu: str = "", **variables: str) -> Iterator[Served]:
    """Run a server with its stand-ins.

    Args:
        folder: With a short name; see `short_folder`.
        menu: What the model does when a caller presses keys: answers of a scenario, as lines.
        variables: Of the server's environment.
    """
    run, scenario = folder / RUN, folder / "scenario.yaml"
    scenario.write_text(f"answers:\n{GREETING}{menu}")
    variables |= {"SALON_RUN_DIR": str(run), "UNDERSTUDY_SCENARIO": str(scenario)}
    with running_server(folder, "--offline", **variables) as server:
        ring = json.loads((run / "ring.json").read_text())
        yield Served(server=server, daily=ring["url"], number=ring["number"])


async def quiet(call: Telephone, *, for_s: float = 0.8) -> None:
    """Wait until something was heard, and then nothing for a while."""
    async with asyncio.timeout(40):
        while not call.heard or time.monotonic() - call.heard[-1][0] < for_s:
            await asyncio.sleep(0.05)


async def answered(call: Telephone, *, since_s: float) -> None:
    """Wait until something was heard after a moment, and then nothing for a while."""
    await call.until(lambda: call.heard and call.heard[-1][0] > since_s, within_s=15)
    await quiet(call)


def sound(call: Telephone, *, since_s: float = 0.0) -> np.ndarray:
    """All that was heard after a moment."""
    pieces = [samples for at_s, samples in call.heard if at_s > since_s]
    return np.concatenate([np.empty(0, np.int16), *pieces])
