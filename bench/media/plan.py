"""Which loads are put on which servers, and how long that takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.media.figures import Figures
from bench.media.line import LINES
from bench.media.rows import CLEAN
from bench.media.runs import Load
from bench.media.servers import SYSTEMS, System

_SESSIONS = {True: (1, 2, 4, 6, 8, 10), False: (1, 4, 8)}
"""With a camera and without."""
_TURNS, _FEWEST_TURNS = 12, 3
"""Of all callers together, and of each."""
_BARGE_INS = {True: 4, False: 0}
"""Of all callers together, with a camera and without."""
_ONCE_TURNS, _ONCE_BARGE_INS = 5, 2
_LINE_TURNS, _AFTER_LOSS_TURNS = 4, 8
_PEERS_SESSIONS = {True: (1, 2, 4), False: (1, 4, 8)}
"""With others, only Salon is called: peers are seconds late with four cameras."""
_COMPARED = ("Salon", "Pipecat", "FastRTC")
_ONCE = {True: ("floor", "relay", "Pipecat with VAD"), False: ("Salon WebSocket", "relay")}
"""What says nothing new with more sessions, with a camera and without."""

_START_S, _CALL_S, _TURN_S, _BARGE_IN_S = 33.0, 1.9, 4.5, 6.8
"""Seconds as measured: until server and callers are ready, each further call, a turn, an
interruption."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be measured; None: what a whole run does.

    Attributes:
        only: Which servers.
        media: Callers with a camera or not.
        sessions: How many call at a time.
        lines: How bad their lines are.
        turns: Questions of each caller.
        barge_ins: Interruptions of each caller, on clean lines.
    """

    only: Sequence[str] | None = None
    media: Sequence[bool] | None = None
    sessions: Sequence[int] | None = None
    lines: Sequence[str] | None = None
    turns: int | None = None
    barge_ins: int | None = None


def loads(wanted: Wanted) -> Iterator[Load]:
    """The loads of a round: server after server under the same one."""
    for line in wanted.lines or LINES:
        for camera in wanted.media or (True, False):
            for sessions in wanted.sessions or _SESSIONS[camera]:
                if wanted.lines or line == CLEAN or (sessions == 1 and not camera):
                    for system in _systems(wanted, sessions, camera, line):
                        yield _load(wanted, system, sessions, camera, line)


def seconds(load: Load) -> float:
    """How long a load takes, about."""
    turns = (1 + load.turns) * _TURN_S + load.barge_ins * _BARGE_IN_S
    return _START_S + (load.sessions - 1) * _CALL_S + turns


class Saturation:
    """Remembers which peers have had enough: those that lost more than half of the turns."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, bool], int] = {}

    def note(self, load: Load, seen: Figures | None) -> None:
        """What came of a load on a clean line; None: nothing."""
        is_lost = seen is None or seen.lost > len(seen.added)
        if is_lost and load.system.peer and load.line == CLEAN:
            key = load.system.name, load.camera
            self._at[key] = min(load.sessions, self._at.get(key, load.sessions))

    def spares(self, load: Load) -> bool:
        """Whether a load is more than one that was too much."""
        return load.sessions > self._at.get((load.system.name, load.camera), load.sessions)


def _systems(wanted: Wanted, sessions: int, camera: bool, line: str) -> Iterable[System]:
    if wanted.only:
        named = [SYSTEMS[name] for name in wanted.only]
        return (system for system in named if _fits(system, sessions, camera, line))
    if sessions not in _PEERS_SESSIONS[camera]:
        return [SYSTEMS["Salon"]]
    once = _ONCE[camera] if sessions == 1 and line == CLEAN else ()
    return [SYSTEMS[name] for name in (*_COMPARED, *once)]


def _fits(system: System, sessions: int, camera: bool, line: str) -> bool:
    if line != CLEAN and not system.is_webrtc:
        return False
    if camera and not system.shows:
        return False
    return system.is_served or sessions == 1


def _load(wanted: Wanted, system: System, sessions: int, camera: bool, line: str) -> Load:
    if line != CLEAN:
        turns, barge_ins = _AFTER_LOSS_TURNS if LINES[line].loses_one else _LINE_TURNS, 0
    elif system.name in _COMPARED:
        turns = max(_FEWEST_TURNS, -(-_TURNS // sessions))
        barge_ins = -(-_BARGE_INS[camera] // sessions)
    else:
        turns, barge_ins = _ONCE_TURNS, _ONCE_BARGE_INS
    if wanted.barge_ins is not None and line == CLEAN:
        barge_ins = wanted.barge_ins
    return Load(
        system=system,
        sessions=sessions,
        camera=camera,
        line=line,
        turns=turns if wanted.turns is None else wanted.turns,
        barge_ins=barge_ins,
    )
