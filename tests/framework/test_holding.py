"""What is said, typed and looked up while there is no connection, and after."""

import asyncio
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import InputTextRawFrame, UserStartedSpeakingFrame
from pipecat.services.llm_service import FunctionCallParams

from pipeline import live_input, live_tools
from tests.framework.minimal import Make, both, line

RECONNECTS_S = 0.3
SLOW = f"slow-setup:connection=2,delay_ms={RECONNECTS_S * 1000:.0f}"


class Tool:
    """A function that takes its time."""

    def __init__(self, takes_s: float):
        self.begun = 0
        self.ended = 0
        self.is_cancelled = False
        self._takes_s = takes_s

    def as_function(self) -> Callable[..., Any]:
        async def look_up(params: FunctionCallParams, what: str) -> None:
            """Look something up.

            Args:
                params: The call.
                what: What to look up.
            """
            self.begun += 1
            try:
                await asyncio.sleep(self._takes_s)
            except asyncio.CancelledError:
                self.is_cancelled = True
                raise
            self.ended += 1
            await params.result_callback({"found": what})

        return look_up


async def test_sound_is_dropped_while_it_reconnects():
    async def arrived_s(make: Make) -> float:
        async with line(make, greets=False, faults=[SLOW]) as talk:
            await talk.begin()
            await talk.drop()
            await talk.send_sound(0.5)
            await talk.happens(lambda: sum(r["ms"] for r in talk.events("audio")) >= 500)
            return sum(record["ms"] for record in talk.events("audio")) / 1000

    theirs_s, own_s = await both(arrived_s)
    assert theirs_s < own_s == 0.5


async def test_what_was_said_before_a_drop_is_lost_with_the_connection():
    async def said_again_ms(make: Make) -> float:
        async with line(make, greets=False) as talk:

            def heard_ms(session: str) -> float:
                return sum(r["ms"] for r in talk.events("audio") if r["session"] == session)

            await talk.begin()
            await talk.send(UserStartedSpeakingFrame())
            await talk.send_sound(0.2)
            await talk.until(lambda: heard_ms("s1") == 200)
            await talk.drop()
            await talk.until(lambda: len(talk.events("setup")) == 2)
            await talk.happens(lambda: heard_ms("s2") == 200)
            return heard_ms("s2")

    assert await both(said_again_ms) == (0, 200)


async def test_text_is_dropped_while_it_reconnects():
    async def texts(make: Make) -> list[str]:
        async with line(make, greets=False, faults=[SLOW]) as talk:
            await talk.begin()
            before = len(talk.events("text"))
            await talk.drop()
            await talk.send(InputTextRawFrame("one"))
            await talk.send(InputTextRawFrame("two"))
            await talk.happens(lambda: len(talk.events("text")) == before + 2)
            return [record["text"] for record in talk.events("text")[before:]]

    assert await both(texts) == ([], ["one", "two"])


async def test_a_result_is_dropped_while_it_reconnects():
    async def results(make: Make) -> int:
        tool = Tool(0.1)
        faults = [SLOW, "rst:at=tool,times=1"]
        async with line(make, greets=False, faults=faults, tools=[tool.as_function()]) as talk:
            await talk.begin()
            await talk.send(InputTextRawFrame("look_up the moon"))
            await talk.until(lambda: tool.ended)
            await talk.until(lambda: len(talk.events("setup")) == 2)
            await talk.happens(lambda: talk.events("tool_response"))
            return len(talk.events("tool_response"))

    assert await both(results) == (0, 1)


async def test_a_function_runs_again_and_its_first_result_goes_to_who_has_not_asked_for_it():
    async def runs(make: Make) -> tuple[int, int]:
        tool = Tool(0.5)
        faults = ["rst:at=tool,times=1"]
        async with line(make, greets=False, faults=faults, tools=[tool.as_function()]) as talk:
            await talk.begin()
            await talk.send(InputTextRawFrame("look_up the moon"))
            await talk.until(lambda: len(talk.events("setup")) == 2)
            # Ours asks again by itself.
            if not await talk.happens(lambda: len(talk.events("tool_call")) == 2):
                await talk.send(InputTextRawFrame("look_up the moon"))
            await talk.until(lambda: len(talk.events("tool_call")) == 2)
            asked = talk.events("tool_call")[1]["id"]
            await talk.until(lambda: asked in str(talk.events("tool_response")))
            unasked = [r for r in talk.events("tool_response") if r.get("unknown")]
            return tool.begun, len(unasked)

    assert await both(runs) == ((2, 1), (1, 0))


async def test_a_cancelled_function_runs_on_and_its_result_is_sent():
    async def runs(make: Make) -> tuple[int, int]:
        tool = Tool(0.5)
        faults = ["cancel-tool:after_ms=50"]
        async with line(make, greets=False, faults=faults, tools=[tool.as_function()]) as talk:
            await talk.begin()
            await talk.send(InputTextRawFrame("look_up the moon"))
            await talk.until(lambda: tool.is_cancelled or talk.events("tool_response"))
            return tool.ended, len(talk.events("tool_response"))

    assert await both(runs) == ((1, 1), (0, 0))


async def test_a_function_may_run_for_ever(monkeypatch):
    monkeypatch.setattr(live_tools, "FUNCTION_TIMEOUT_S", 0.2)

    async def is_cancelled(make: Make) -> bool:
        tool = Tool(60)
        async with line(make, greets=False, tools=[tool.as_function()]) as talk:
            await talk.begin()
            await talk.send(InputTextRawFrame("look_up the moon"))
            await talk.until(lambda: tool.begun)
            return await talk.happens(lambda: tool.is_cancelled)

    assert await both(is_cancelled) == (False, True)


async def test_a_microphone_that_is_off_is_not_told(monkeypatch):
    monkeypatch.setattr(live_input, "STREAM_ENDS_S", 0.2)

    async def ends(make: Make) -> int:
        async with line(make, greets=False) as talk:
            await talk.begin()
            await talk.send_sound(0.1)
            await talk.happens(lambda: talk.events("audio_stream_end"))
            return len(talk.events("audio_stream_end"))

    assert await both(ends) == (0, 1)
