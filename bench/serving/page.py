"""The page with the results, as Markdown, and the same as data. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.media.rows import percentile
from bench.serving.bursts import AT_ONCE, RUNNING, SLOTS
from bench.serving.figures import COUNTED, STEPS, Results
from bench.serving.targets import targets, targets_table

_CITED = """\
Not measured here but cited, from trials of others' code at another time, to read the figures above \
by:

| Process of a session | Until it is ready | Private memory, MB | |
| --- | --: | --: | --- |
| fresh, with Pipecat | 6 to 9 s | 95 to 190 | cited |
| forked from one that has loaded Pipecat, with `gc.freeze()` | 0.25 to 0.6 s | 15 to 33 | cited |
| LiveKit Agents, fresh, empty job | 4.2 to 4.8 s | 110 | cited |
| LiveKit Agents, forked, empty job | 0.03 s | 9 | cited |

They end when a process or its pipeline is ready; those above end when the model hears the caller, \
with signalling and encryption on the way, and hold a conversation with a camera."""
_ABOUT_STARTS = """\
Milliseconds from the moment in which a caller asks for a session (`POST /start`), one call after \
another, over real WebRTC. *accepted*: that was answered. *process*: the call had its process; \
without a spare that is a fork. *answered*: so was the offer. *connected*: the caller's data channel \
was open, after ICE, DTLS and SCTP at both ends. *model*: the session's connection to the model was \
open. *media*: the first of the caller's sound reached the model."""
_ABOUT_MEMORY = """\
USS, which no other process shares: `/proc/PID/smaps_rollup`, private clean and dirty. Three calls at \
a time with a 640x480 camera at 15 fps, each with a process of its own."""
_ABOUT_BURSTS = f"""\
{AT_ONCE} connections at the same moment, {SLOTS} slots, {RUNNING} of them running calls with a \
camera. The time of a refusal is its client's, from before its connection is opened until its answer \
has come, behind all those before it; the client is one thread with sockets and bytes that are ready. \
Bursts come for 20 seconds, 1.3 s apart, and for 20 seconds they don't: a turn with a burst in it is \
beside one without."""
_ABOUT_MANY = """\
Two at a time, over real WebRTC: each connects, hears a first packet and hangs up. What the server \
holds once no call is left and its spare waits: anonymous memory (what is no file's), files of the \
server and the forkserver, ports of all its processes, files *left* in the run folder, and *old* \
endings there."""


def page(results: Results, *, machine: str) -> str:
    """The page.

    Args:
        results: What was measured.
        machine: On what, in a sentence.
    """
    parts = [
        "# What sessions of their own cost",
        f"Written by `make bench-serving`. {machine} The same as data: "
        "[serving.json](serving.json).",
        "## Targets",
        targets_table(targets(results)).rstrip(),
        _CITED,
        "## From offer to first media",
        _ABOUT_STARTS,
        _starts(results),
        "## Memory of a session",
        _ABOUT_MEMORY,
        _memory(results),
        "## A burst of starts",
        _ABOUT_BURSTS,
        _bursts(results),
        "## One after another",
        _ABOUT_MANY,
        _many(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(results: Results, *, machine: str) -> str:
    """The same as data."""
    return json.dumps({"machine": machine, **asdict(results)}, indent=1) + "\n"


def _starts(results: Results) -> str:
    rows = [
        [str(spares), str(len(starts)), *_each_step(starts)]
        for spares, starts in sorted(results.starts.items(), reverse=True)
    ]
    heads = [f"{step} p50 / p95" for step in STEPS]
    return _table(["Spares", "Calls", *heads], rows)


def _each_step(starts: Sequence[object]) -> list[str]:
    return [_quantiles([getattr(start, step) for start in starts]) for step in STEPS]


def _memory(results: Results) -> str:
    memory = results.memory
    rows = [
        [when, str(len(seen)), _quantiles(seen, 50, 100, digits=1)]
        for when, seen in (
            ("after the greeting", memory.greeted),
            (f"after {memory.seconds:.0f} s of talk with a camera", memory.talked),
        )
        if seen
    ]
    return _table(["When", "Processes", "MB p50 / max"], rows)


def _bursts(results: Results) -> str:
    bursts = results.bursts
    if not bursts.answers:
        return ""
    rows = [
        ["Bursts", str(len(bursts.answers))],
        ["Refusals p50 / p95 / max, ms", _quantiles(bursts.refused_ms, 50, 95, 100)],
        ["Turns without a burst / with one", f"{len(bursts.before)} / {len(bursts.during)}"],
        ["Added latency without, p50 / p95, ms", _quantiles(bursts.before)],
        ["Added latency with, p50 / p95, ms", _quantiles(bursts.during)],
        ["Questions lost", str(bursts.lost)],
    ]
    return _table(["What", "Seen"], rows)


def _many(results: Results) -> str:
    rows = [
        [
            str(held.sessions),
            str(held.failed),
            f"{held.server_mb:.1f}",
            f"{held.forkserver_mb:.1f}",
            *(str(getattr(held, what)) for what in COUNTED),
        ]
        for held in results.held
    ]
    return _table(["Sessions", "failed", "server MB", "forkserver MB", *COUNTED], rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _quantiles(values: Sequence[float], *percents: int, digits: int = 0) -> str:
    if not values:
        return "-"
    return " / ".join(f"{percentile(values, p):.{digits}f}" for p in percents or (50, 95))
