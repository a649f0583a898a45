"""What was aimed at, beside what was measured. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.media.rows import CLEAN, LATER, SOON, Row, percentile

SALON, PEERS = "Salon", ("Pipecat", "FastRTC")
_DOOR, _RELAY = "Salon WebSocket", "relay"
_MOST_P95_MS = 150.0
_CLIPS = ("static screen", "talking head")

Values = tuple[float | None, ...]
"""One for each limit; None: not measured."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    Attributes:
        name: What is measured.
        limits: What each value is to be at most; none: it is only told.
        seen: By server.
        digits: After the point.
        tried: Where more is better: how far Salon was put to the test.
    """

    name: str
    limits: tuple[float, ...]
    seen: Mapping[str, Values]
    digits: int = 0
    tried: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether Salon meets it; None: nobody can tell."""
        known = [value for value in self.seen[SALON] if value is not None]
        if not self.limits or len(known) < len(self.limits):
            return None
        if self.tried is None:
            return all(a <= b for a, b in zip(known, self.limits, strict=True))
        is_met = known[0] >= self.limits[0]
        return None if not is_met and known[0] == self.tried else is_met


def targets(rows: Sequence[Row], shares: Mapping[str, float]) -> list[Target]:
    """All targets.

    Args:
        rows: What was measured.
        shares: By clip: of one frame a second, what the model is shown.
    """
    seen = _Seen(rows)
    everybody = (SALON, *PEERS)

    def all_of(values: Callable[[str], Values]) -> dict[str, Values]:
        return {system: values(system) for system in everybody}

    def ours(*values: float | None) -> dict[str, Values]:
        return {SALON: values, **{peer: (None,) * len(values) for peer in PEERS}}

    relay = _text((seen.added(_RELAY, 1, False, 50),), 0)
    return [
        Target(
            name="Added latency, 1 session, median / p95, ms",
            limits=(40, 60),
            seen=all_of(lambda s: (seen.added(s, 1, True, 50), seen.added(s, 1, True, 95))),
        ),
        Target(
            name="Added latency, 4 sessions, p95, ms",
            limits=(100,),
            seen=all_of(lambda s: (seen.added(s, 4, True, 95),)),
        ),
        Target(
            name="Audio only: added latency after one lost packet, more than on a clean line, "
            "within 5 s / later, median, ms",
            limits=(20, 5),
            seen=all_of(lambda s: (seen.after_loss(s, SOON), seen.after_loss(s, LATER))),
        ),
        Target(
            name="Audio only: added latency, 8 sessions, p95, ms",
            limits=(100,),
            seen=all_of(lambda s: (seen.added(s, 8, False, 95),)),
        ),
        Target(
            name=f"WebSocket door: added latency, 1 session, median, ms (relay: {relay})",
            limits=(12,),
            seen=ours(seen.added(_DOOR, 1, False, 50)),
        ),
        Target(
            name="CPU seconds a session-minute, 1 session, camera / audio only",
            limits=(9, 6),
            seen=all_of(lambda s: (seen.cpu_s(s, True), seen.cpu_s(s, False))),
            digits=1,
        ),
        Target(
            name="Most sessions with p95 under 150 ms and no lost turn",
            limits=(10,),
            seen=all_of(lambda s: (seen.most_sessions(s),)),
            tried=max(seen.tried(SALON), default=0),
        ),
        Target(
            name="Barge-in, onset to silence heard, p95, ms",
            limits=(120,),
            seen=all_of(lambda s: (seen.barge_in(s, less_model=False, percent=95),)),
        ),
        Target(
            name="Barge-in, less what the model takes to say that it was interrupted, p95, ms",
            limits=(),
            seen=all_of(lambda s: (seen.barge_in(s, less_model=True, percent=95),)),
        ),
        Target(
            name="Offer to first media at the model, 1 session, median, ms",
            limits=(250,),
            seen=all_of(lambda s: (seen.start(s),)),
        ),
        Target(
            name="Video tokens against 1 fps, static screen / talking head",
            limits=(0.1, 0.4),
            seen={
                SALON: tuple(shares.get(clip) for clip in _CLIPS),
                **{peer: (seen.frames(peer),) * 2 for peer in PEERS},
            },
            digits=2,
        ),
    ]


def targets_table(aims: Sequence[Target]) -> str:
    """The targets as a table with a line for each."""
    lines = [
        ("What", "Target", "Salon", "stock Pipecat", "FastRTC", "Met?"),
        ("---", "--:", "--:", "--:", "--:", "---"),
        *(_cells(target) for target in aims),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def frame_shares(page: str) -> dict[str, float]:
    """By clip, what the model is shown of one frame a second: from `frames.md`."""
    found = re.findall(r"^\| ([^|]+?) \| \d+ \| [\d,]+ \| ([\d.]+) \|", page, re.MULTILINE)
    return {clip: float(share) for clip, share in found}


class _Seen:
    """Looks up what was measured; None for what was not."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {row.key: row for row in rows}

    def added(self, system: str, sessions: int, camera: bool, percent: int) -> float | None:
        row = self._rows.get((system, sessions, camera, CLEAN))
        return _percentile(row.figures.added if row else (), percent)

    def after_loss(self, system: str, window: str) -> float | None:
        """How much later sound reaches the model: it is on the way up that the packet is lost."""
        lossy, clean = (
            _percentile(row.figures.uplink if row else (), 50)
            for row in (self._rows.get((system, 1, False, line)) for line in (window, CLEAN))
        )
        return None if lossy is None or clean is None else lossy - clean

    def cpu_s(self, system: str, camera: bool) -> float | None:
        row = self._rows.get((system, 1, camera, CLEAN))
        return _percentile(row.cpu_s if row else (), 50)

    def tried(self, system: str) -> list[int]:
        """Numbers of sessions with a camera."""
        own = (row for row in self._rows.values() if row.system == system)
        return sorted(row.sessions for row in own if row.camera and row.line == CLEAN)

    def most_sessions(self, system: str) -> float | None:
        """The most that went well, of those up to the first that did not."""
        own = [self._rows[system, sessions, True, CLEAN] for sessions in self.tried(system)]
        most = 0.0 if any(row.figures.added or row.figures.lost for row in own) else None
        for row in own:
            p95 = _percentile(row.figures.added, 95)
            if row.failed or row.figures.lost or p95 is None or p95 >= _MOST_P95_MS:
                break
            most = float(row.sessions)
        return most

    def barge_in(self, system: str, *, less_model: bool, percent: int) -> float | None:
        row = self._rows.get((system, 1, True, CLEAN))
        if not row:
            return None
        return _percentile(row.barge_in_less_model if less_model else row.figures.barge_in, percent)

    def start(self, system: str) -> float | None:
        row = self._rows.get((system, 1, True, CLEAN))
        return _percentile(row.figures.start if row else (), 50)

    def frames(self, system: str) -> float | None:
        row = self._rows.get((system, 1, True, CLEAN))
        a_minute = _percentile(row.figures.frames if row else (), 50)
        return None if a_minute is None else a_minute / 60


def _percentile(values: Sequence[float], percent: int) -> float | None:
    return percentile(values, percent) if values else None


def _cells(target: Target) -> tuple[str, ...]:
    met = {True: "yes", False: "no", None: "-"}[target.is_met]
    digits = 0 if all(limit == int(limit) for limit in target.limits) else 1
    limits = _text(target.limits, digits) + (" or more" if target.tried is not None else "")
    seen = (_text(target.seen[system], target.digits) for system in (SALON, *PEERS))
    return target.name, limits, *seen, met


def _text(values: Values, digits: int) -> str:
    if all(value is None for value in values):
        return "-"
    # Zero is added so that there is no "-0".
    return " / ".join(
        "-" if value is None else f"{round(value, digits) + 0:.{digits}f}" for value in values
    )
