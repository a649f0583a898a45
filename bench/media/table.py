"""The table of what was measured, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.media.rows import Row, percentile
from bench.media.targets import Target, targets_table

_COLUMNS = (
    "Server",
    "Sessions",
    "Media",
    "Line",
    "Turns",
    "Lost",
    "Added p50",
    "p95",
    "spread",
    "Up p50",
    "p95",
    "Down p50",
    "p95",
    "Barge-in p50",
    "p95",
    "less model's p50",
    "p95",
    "Start p50",
    "p95",
    "Longer p50",
    "p95",
    "Frames/min",
    "KB each",
    "CPU s",
    "MB",
    "Lag p95",
    "max",
    "Late p95",
    "Others",
)
_LEFT = 4
_ABOUT_TARGETS = """\
With a 640x480 camera at 15 fps, unless audio only. A model needs time of its own to say that it was \
interrupted; a server can only take away from the rest, so it is the rest that has a target. A \
packet is lost on the way up, so it is *up* that is compared with a clean line, and back is within \
5 ms of it. Frames that Salon shows are those of [frames.md](frames.md); those \
of the peers go by the clock, whatever is in them: what they have shown of the moving clip is what \
they show of any."""
_EXPLAINED = """\
Times in milliseconds. *Added* latency is what a caller waits beyond the model's own time: *up* (last \
speech sample sent to its arrival at the model) and *down* (first speech sample sent by the model to \
its being heard); its *spread* is between the quartiles. *Barge-in* is from the first sample of the \
caller's voice sent to the last sample of the bot's heard; *less model's*: without what the model \
took to say that it was interrupted. *Start* is from the offer to the first audio at the model. \
*Longer*: by how much longer an answer was heard than it is. *Frames* reached the model, each \
session-minute. *CPU s*: of the server, each session-minute. *MB*: its memory that is no file's, each \
session; with one session it includes what the first one loads. *Lag*: by how much event loops of \
the server's processes at work were late, asked 20 times a second during the calls.

*Late*: by how much the callers' own packets left late; *others*: cores that were busy with something \
else. Where these are high, it was the machine that was measured.

A caller's first question is a rehearsal and not counted. Neither is what a browser's own jitter \
buffer would hold: a packet is heard when it comes."""


def table(rows: Sequence[Row]) -> str:
    """The rows as a table with a line for each."""
    ruler = ["---"] * _LEFT + ["--:"] * (len(_COLUMNS) - _LEFT)
    lines = [_COLUMNS, ruler, *(_cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def page(rows: Sequence[Row], aims: Sequence[Target], *, machine: str) -> str:
    """The page with the results.

    Args:
        rows: What was measured.
        aims: What was aimed at.
        machine: On what, in a sentence.
    """
    failed = [
        f"- {row.system}, {row.sessions} sessions, {_media(row)}, {row.line}: {why}"
        for row in rows
        for why in row.failed
    ]
    parts = [
        "# How long media take",
        f"Written by `make bench`. {machine} The same as data: [media.json](media.json). What it "
        "means, with plots: [performance.md](../../docs/performance.md).",
        "## Targets",
        targets_table(aims).rstrip(),
        _ABOUT_TARGETS,
        "## All loads",
        table(rows).rstrip(),
        _EXPLAINED,
    ]
    if failed:
        parts.append("Came to nothing:\n\n" + "\n".join(failed))
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> list[str]:
    seen = row.figures
    return [
        row.system,
        str(row.sessions),
        _media(row),
        row.line,
        str(len(seen.added)),
        str(seen.lost),
        *_quantiles(seen.added, 50, 95),
        _spread(seen.added),
        *_quantiles(seen.uplink, 50, 95),
        *_quantiles(seen.downlink, 50, 95),
        *_quantiles(seen.barge_in, 50, 95),
        *_quantiles(row.barge_in_less_model, 50, 95),
        *_quantiles(seen.start, 50, 95),
        *_quantiles(seen.gaps, 50, 95),
        *_quantiles(seen.frames if row.camera else [], 50),
        *_quantiles([size / 1000 for size in seen.frame_bytes], 50),
        *_quantiles(row.cpu_s, 50, digits=1),
        *_quantiles(row.memory_mb, 50, digits=1),
        *_quantiles(row.lag_ms, 95, 100),
        *_quantiles(seen.late, 95),
        *_quantiles(row.others_cores, 50, digits=1),
    ]


def _media(row: Row) -> str:
    return "camera" if row.camera else "audio"


def _quantiles(values: Sequence[float], *percents: int, digits: int = 0) -> list[str]:
    if not values:
        return ["-"] * len(percents)
    # Zero is added so that there is no "-0".
    return [f"{round(percentile(values, p), digits) + 0:.{digits}f}" for p in percents]


def _spread(values: Sequence[float]) -> str:
    return f"{percentile(values, 75) - percentile(values, 25):.0f}" if values else "-"
