"""What was measured, and what can be said of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.media.figures import Event
from bench.media.rows import percentile

STEPS = ("accepted", "process", "answered", "connected", "model", "media")
WARM = 50
"""After so many sessions a server holds what it will hold."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a call began: milliseconds from the moment in which its caller first asked.

    Attributes:
        accepted: `/start` was answered.
        process: The call had its process.
        answered: The offer was answered.
        connected: The caller's data channel was open.
        model: The session was connected to the model.
        media: The first of the caller's sound reached the model.
    """

    accepted: float
    process: float
    answered: float
    connected: float
    model: float
    media: float


@dataclass(kw_only=True)
class Memory:
    """Private memory (USS) of sessions' processes, in MB, one for each.

    Attributes:
        greeted: Once the caller has been greeted.
        talked: After a conversation with a camera.
        seconds: How long that took.
    """

    greeted: list[float] = field(default_factory=list)
    talked: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What one of a burst's requests came to.

    Attributes:
        status: Of the answer; 0: none came.
        ms: From before its connection was opened until the answer had come.
    """

    status: int
    ms: float


@dataclass(kw_only=True)
class Bursts:
    """What came of starts that all came at once, and of calls meanwhile.

    Attributes:
        free: Slots that were free each time.
        answers: Of each burst.
        before: Added latency of the running calls' turns while there was no burst; milliseconds.
        during: The same of turns with a burst.
        lost: Questions that were not answered.
    """

    free: int = 0
    answers: list[list[Answer]] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def accepted(self) -> list[int]:
        """How many each burst brought in."""
        return [sum(a.status == 200 for a in answers) for answers in self.answers]

    @property
    def refused_ms(self) -> list[float]:
        """How long refusals took, of all bursts."""
        return [a.ms for answers in self.answers for a in answers if a.status == 503]

    @property
    def others(self) -> int:
        """Answers that were neither."""
        return sum(a.status not in (200, 503) for answers in self.answers for a in answers)

    @property
    def slower(self) -> float | None:
        """By which part of it the calls' p95 was worse during bursts."""
        if not self.before or not self.during:
            return None
        return percentile(self.during, 95) / percentile(self.before, 95) - 1


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the server held on to once no session ran.

    Attributes:
        sessions: How many there had been.
        failed: How many of them heard nothing.
        server_mb: Anonymous memory of the server.
        forkserver_mb: And of the process of which sessions are forks.
        processes: All of the server's, itself included.
        files: Open files of the server and the forkserver.
        ports: Sockets of the internet of all its processes.
        threads: Of the server and the forkserver.
        left: Files in the run folder that are no ending.
        old: Endings there that are older than they may be.
    """

    sessions: int
    failed: int = 0
    server_mb: float
    forkserver_mb: float
    processes: int
    files: int
    ports: int
    threads: int
    left: int
    old: int


COUNTED = ("processes", "files", "ports", "threads", "left", "old")


@dataclass(kw_only=True)
class Results:
    """All that was measured; what was not is empty.

    Attributes:
        starts: By the number of spares.
        memory: Of sessions.
        bursts: Of starts.
        held: After so many sessions.
        many_s: How long those took.
    """

    starts: dict[int, list[Start]] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    bursts: Bursts = field(default_factory=Bursts)
    held: list[Held] = field(default_factory=list)
    many_s: float = 0.0

    @property
    def warm(self) -> Held | None:
        """The first sample of a warm server."""
        return next((held for held in self.held if held.sessions >= WARM), None)


def growth(held: Sequence[float]) -> float:
    """By which part of the first value the last ones are more; of three, so that none decides."""
    return percentile(held[-3:], 50) / held[0] - 1


def arrivals(record: Iterable[Event]) -> list[tuple[float, float]]:
    """When each session connected to the model and its first sound came, in the order of that."""
    connected: dict[str, float] = {}
    heard: dict[str, float] = {}
    for event in record:
        if event["event"] == "connected":
            connected[event["session"]] = event["t"]
        elif event["event"] == "audio":
            heard.setdefault(event["session"], event["t"])
    return sorted((connected[session], at_s) for session, at_s in heard.items())
