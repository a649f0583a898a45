"""Wrong messages said to an understudy in a process of its own, over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench import right_messages
from bench.fuzz_sessions import Broken, Tally, check_close
from bench.holdings import Holdings, Sample
from bench.running import SETUP, Running, understudy
from bench.wrong_messages import WrongMessages
from understudy import spoken

MAX_RECORDS, MAX_HANDLES = 200, 50
"""What the understudy is told to keep: soon there is as much, and no more comes."""
SOCKETS = 16
_MAX_MESSAGES = 40
_SET_UP_SHARE = 0.75
_WRONG_SHARE = 0.4
_LISTENING_SHARE = 0.01
"""After so many of the messages an answer is awaited, so that there is speech to be interrupted."""
_LISTENING_S = 0.7
_CLOSED_BY_US = 1000
_HISTORY = 12
_SETTLE_S = 20
_PAUSE_S = 0.002
"""Without it everything would be sent before the first refusal is there."""


async def fuzz_over_sockets(
    seed: int, count: int, tally: Tally, *, looks: int = 20
) -> list[Sample]:
    """Says so many wrong things, and looks at regular points at what the understudy holds on to.

    Args:
        seed: Of the messages.
        count: How many.
        tally: What comes of them is counted here.
        looks: How often to look, after the first time.

    Raises:
        Broken: It ended, it closed without a refusal, or a session did not end.
    """
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory, "record.jsonl")
        options = ("--max-records", str(MAX_RECORDS), "--max-handles", str(MAX_HANDLES))
        with understudy("--record", str(record), *options, module="bench.watched") as running:
            await _fill(running)
            begun_s = time.perf_counter()
            for number in range(looks + 1):
                until = count * number // looks
                if until > tally.messages:
                    await say(running, seed=seed + number, until=until, tally=tally)
                await _check_well(running)
                held = await _settled(running, samples[0].held if samples else None)
                samples.append(Sample(tally.messages, time.perf_counter() - begun_s, held))
        _check_record(record)
    return samples


async def say(running: Running, *, seed: int, until: int, tally: Tally) -> None:
    """Says wrong things over many connections at a time until there were so many.

    Raises:
        Broken: When a session ended otherwise than by a refusal.
    """
    wrong = WrongMessages(seed)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(SOCKETS):
            tasks.create_task(_call_again(running, wrong, until, tally))


async def _call_again(running: Running, wrong: WrongMessages, until: int, tally: Tally) -> None:
    while tally.messages < until:
        tally.sessions += 1
        said: list[str | bytes] = []
        async with connect(
            running.url, ssl=running.trust, compression=None, max_queue=None, close_timeout=5
        ) as socket:
            with contextlib.suppress(ConnectionClosed):
                await _lead(socket, wrong, said, tally)
        code, reason = socket.close_code, socket.close_reason
        tally.close(code, reason)
        if code != _CLOSED_BY_US:
            try:
                check_close(code, reason)
            except Broken as error:
                last = "\n".join(repr(message)[:2_000] for message in said[-_HISTORY:])
                raise Broken(f"{error}, after\n{last}") from None


async def _lead(
    socket: ClientConnection, wrong: WrongMessages, said: list[str | bytes], tally: Tally
) -> None:
    if wrong.chance(_SET_UP_SHARE):
        await socket.send(wrong.setup())
    for _ in range(_MAX_MESSAGES):
        is_wrong = wrong.chance(_WRONG_SHARE)
        said.append(wrong.next() if is_wrong else wrong.valid())
        await socket.send(_sendable(said[-1]), text=wrong.chance(0.5))
        tally.messages += is_wrong
        await asyncio.sleep(_LISTENING_S if wrong.chance(_LISTENING_SHARE) else _PAUSE_S)


def _sendable(frame: str | bytes) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")


async def _fill(running: Running) -> None:
    """Has it remember as many names, and as much speech, as it can."""
    texts = [f"{number} {'and so on ' * 10}" for number in range(spoken.MAX_ENTRIES)]
    said = [json.dumps({"realtimeInput": {"text": text}}) for text in texts]
    await _ask(running, right_messages.many_names(), *said, until=b"generationComplete")


async def _check_well(running: Running) -> None:
    """Raises unless a session can still be set up and says something."""
    question = json.dumps({"realtimeInput": {"text": "Are you well?"}})
    await _ask(running, question, until=b"inlineData")


async def _ask(running: Running, *messages: str, until: bytes) -> None:
    try:
        async with (
            asyncio.timeout(_SETTLE_S),
            connect(running.url, ssl=running.trust, compression=None) as socket,
        ):
            await socket.send(SETUP)
            for message in messages:
                await socket.send(message)
            while until not in await socket.recv(decode=False):
                pass
    except (OSError, TimeoutError, ConnectionClosed) as error:
        raise Broken(f"the understudy is not well: {type(error).__name__} {error}") from error


async def _settled(running: Running, before: Holdings | None) -> Holdings:
    """Waits until there are no more files and tasks than before; sessions take a moment to end."""
    until_s = time.perf_counter() + _SETTLE_S
    while True:
        await asyncio.sleep(0.2)
        held = running.holdings()
        is_settled = before is None or (held.files <= before.files and held.tasks <= before.tasks)
        if is_settled or time.perf_counter() > until_s:
            return held


def _check_record(path: Path) -> None:
    """Raises unless every session has ended; its last word is recorded when its task has."""
    with path.open() as lines:
        events = Counter(json.loads(line)["event"] for line in lines)
    if events["connected"] != events["closed"] or events["lost"]:
        raise Broken(
            f"{events['connected']} sessions began, {events['closed']} ended; "
            f"{events['lost']} gaps in the record"
        )
