"""What was measured, a row for each server under each load. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.media.figures import Figures
from bench.media.line import LINES
from bench.media.servers import SYSTEMS

CLEAN = "clean"
RECOVERED_S = 5.0
"""After one lost packet, latency is wanted back by then."""
SOON, LATER = f"one packet lost, {RECOVERED_S:.0f} s after", "one packet lost, later"


@dataclass(kw_only=True)
class Row:
    """One server under one load, over all rounds.

    Attributes:
        system: What was called.
        sessions: How many called at a time.
        camera: Whether they showed something.
        line: How bad the line was, and which of its turns are meant.
        figures: Of all calls.
        cpu_s: Processor seconds for each session-minute, of each round; none where there is no
            server.
        memory_mb: Private memory for each session, of each round.
        lag_ms: By how much the server's event loop was late, 20 times a second.
        others_cores: What the machine did besides, of each round.
        failed: Why rounds came to nothing.
    """

    system: str
    sessions: int
    camera: bool
    line: str
    figures: Figures = field(default_factory=Figures)
    cpu_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    others_cores: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, int, bool, str]:
        """What tells it from others."""
        return self.system, self.sessions, self.camera, self.line

    @property
    def order(self) -> tuple[object, ...]:
        """Clean lines first; servers under the same load beside each other."""
        line = next(n for n, name in enumerate(LINES) if self.line.startswith(name))
        return line, self.line, not self.camera, self.sessions, list(SYSTEMS).index(self.system)

    @property
    def barge_in_less_model(self) -> list[float]:
        """From the onset of a voice to silence heard, less the model's own time; milliseconds."""
        seen = self.figures
        return [a - b for a, b in zip(seen.barge_in, seen.barge_in_model, strict=True)]


def windows(line: str) -> dict[str, tuple[float, float] | None]:
    """The rows that a line makes, with the seconds after the one loss whose turns are meant."""
    if LINES[line].loses_one:
        return {SOON: (0.0, RECOVERED_S), LATER: (RECOVERED_S, math.inf)}
    return {line: None}


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile, between neighbours where need be; 100 is the greatest."""
    if len(values) == 1 or percent in (0, 100):
        return max(values) if percent else min(values)
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
