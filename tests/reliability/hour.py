"""An hour of conversation, in a minute: the limits of sessions pass sixty times faster."""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.conversation import Talk, talk

SCALE = 60
MINUTE_S = 60 / SCALE
GO_AWAYS = (9, 18, 27, 36, 45, 54)
"""Minutes. With compression gemini-3.8-live was seen to keep a connection for 58 minutes, and others
to say goAway after nine."""
CUT = 57.5
FACT = "remember that my cat is called Minka"
AT_ONCE = {"at": "clock", "after_ms": 1}


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What came of it.

    Parameters:
        states: What the page was told of the link, in this order.
        recalled: What the model answers at the end when asked what it remembers.
        told: How often the fact is in the turn log.
        latencies_s: From each question to the first sound of its answer, in order.
    """

    states: list[str]
    recalled: str
    told: int
    latencies_s: list[float]

    @property
    def drift_s(self) -> tuple[float, float]:
        """The median latency of the first half and of the second."""
        half = len(self.latencies_s) // 2
        early, late = self.latencies_s[:half], self.latencies_s[half:]
        return statistics.median(early), statistics.median(late)


async def _ask(conversation: Talk, text: str) -> tuple[str, float]:
    """Types something; returns the answer, and how long its first sound took."""
    before, asked_s = len(conversation.events("answer")), time.monotonic()
    heard = conversation.transport.heard
    await conversation.type(text)
    await conversation.until(lambda: len(conversation.events("answer")) > before, within_s=10)
    await conversation.until(lambda: bool(heard) and heard[-1][0] > asked_s, within_s=10)
    first_s = next(at_s for at_s, _ in heard if at_s > asked_s)
    return conversation.events("answer")[-1]["text"], first_s - asked_s


async def measure() -> Hour:
    """Tells a fact, talks for an hour with six goAways and a cut, and asks for the fact.

    After the cut the handle is refused: the new session knows only what it is told.
    """
    faults = ["resume-fails-after-1011"]
    with tempfile.TemporaryDirectory() as folder:
        async with talk(
            Path(folder), greeting=None, clock_scale=SCALE, faults=faults
        ) as conversation:
            begun_s = time.monotonic()
            await conversation.until(lambda: "ready" in conversation.states, within_s=15)
            await _ask(conversation, FACT)
            go_aways, is_cut, latencies_s = list(GO_AWAYS), False, []
            while (minute := (time.monotonic() - begun_s) / MINUTE_S) < 60:
                latencies_s.append((await _ask(conversation, "how are you"))[1])
                session = conversation.events("setup")[-1]["session"]
                if go_aways and minute > go_aways[0]:
                    go_aways.pop(0)
                    conversation.understudy.inject("goaway", session=session, moment=AT_ONCE)
                if minute > CUT and not is_cut:
                    is_cut = True
                    conversation.understudy.inject("deadline", session=session, moment=AT_ONCE)
                await conversation.until_quiet(for_s=1.0)
            recalled, _ = await _ask(conversation, "what do you remember")
            return Hour(
                states=conversation.states,
                recalled=recalled,
                told=sum(turn["text"] == FACT for turn in conversation.turns),
                latencies_s=latencies_s,
            )
