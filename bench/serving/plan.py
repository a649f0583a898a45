"""How much of everything is measured, and how long that takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("starts", "memory", "bursts", "many")
_STAGE_S = 14.0
"""Until a model and a server are ready, and gone again."""
_START_S, _TURN_S, _CALL_S = 2.8, 4.5, 0.9


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much.

    Attributes:
        start_rounds: How often servers with and without spares take turns.
        starts: Calls of each of those.
        memory_turns: Questions of a conversation whose memory is looked at.
        memory_rounds: How often three of them are held.
        burst_turns: Questions of each caller while bursts come and go.
        sessions: How many come one after another.
        every: After so many it is looked at what the server holds.
    """

    start_rounds: int = 2
    starts: int = 20
    memory_turns: int = 4
    memory_rounds: int = 2
    burst_turns: int = 50
    sessions: int = 500
    every: int = 50

    def seconds(self, part: str) -> float:
        """How long a part takes, about."""
        match part:
            case "starts":
                return 2 * self.start_rounds * (_STAGE_S + (2 + self.starts) * _START_S)
            case "memory":
                return self.memory_rounds * (_STAGE_S + 14 + self.memory_turns * _TURN_S)
            case "bursts":
                return _STAGE_S + 10 + self.burst_turns * _TURN_S
            case _:
                return _STAGE_S + self.sessions * _CALL_S


WHOLE = Plan()
QUICK = Plan(
    start_rounds=1,
    starts=4,
    memory_turns=1,
    memory_rounds=1,
    burst_turns=6,
    sessions=16,
    every=8,
)
