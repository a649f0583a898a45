"""The callers, in a process of their own: told by standard input whom to call, and how often.

Prints `ready` when all are connected, waits for a line, lets them talk, and prints what they noted
down as a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bench.media.clips import camera_jpeg, camera_vp8, question_opus, question_pcm
from bench.media.conversation import Caller, Talk, converse
from bench.media.direct import DoorCaller, FloorCaller, RelayCaller
from bench.media.line import Line
from bench.media.webrtc import WebRtcCaller
from serving.ice import use_addresses

_APART_S = 1.5
"""Between calls, so that each finds the session that is its own."""
_STEP_S = 0.37
"""Between first questions: people are not in step."""
_DEADLINE_S = 400


@dataclass(frozen=True, kw_only=True)
class Order:
    """Whom to call, and how.

    Attributes:
        kind: `pipecat`, `fastrtc`, `door`, `relay` or `floor`.
        url: The server's.
        sessions: How many call.
        camera: Whether they show something.
        talk: What they talk about.
        line: How bad their lines are.
    """

    kind: str
    url: str
    sessions: int
    camera: bool
    talk: Talk
    line: Line = field(default_factory=Line)

    def as_json(self) -> str:
        """What `read` takes."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Order:
        """An order that was written down."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "talk": Talk(**fields["talk"]), "line": Line(**fields["line"])})


async def call(order: Order) -> None:
    """Carries out an order."""
    callers = await asyncio.to_thread(_callers, order)
    try:
        for number, caller in enumerate(callers):
            if number:
                await asyncio.sleep(_APART_S)
            await caller.begin()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def talk(number: int, caller: Caller):
            await asyncio.sleep(number * _STEP_S)
            return await converse(caller, order.talk)

        calls = await asyncio.gather(*(talk(n, caller) for n, caller in enumerate(callers)))
        print(json.dumps([call.as_dict() for call in calls]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    finally:
        await asyncio.gather(*(caller.end() for caller in callers), return_exceptions=True)


def _callers(order: Order) -> Sequence[Caller]:
    numbers = range(order.sessions)
    if order.kind in ("floor", "relay", "door"):
        spoken, pictures = question_pcm(), camera_jpeg() if order.camera else ()
        if order.kind == "door":
            return [DoorCaller(order.url, spoken=spoken) for _ in numbers]
        if order.kind == "floor":
            return [FloorCaller(spoken=spoken, camera=pictures) for _ in numbers]
        return [RelayCaller(order.url, spoken=spoken, camera=pictures) for _ in numbers]
    spoken, frames = question_opus(), camera_vp8() if order.camera else ()
    return [
        WebRtcCaller(
            order.url,
            spoken=spoken,
            camera=frames,
            line=replace(order.line, seed=number),
            is_pipecat=order.kind == "pipecat",
        )
        for number in numbers
    ]


async def _main() -> None:
    use_addresses(["127.0.0.1"])
    order = Order.read(sys.stdin.readline())
    async with asyncio.timeout(_DEADLINE_S):
        await call(order)


if __name__ == "__main__":
    asyncio.run(_main())
