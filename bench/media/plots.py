"""The command behind `make bench-plots`: draws what was measured, without measuring it again."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter
from matplotlib.typing import RcKeyType

from bench.media.line import LINES
from bench.media.results import rows_of
from bench.media.rows import CLEAN, LATER, RECOVERED_S, SOON, Row, percentile
from bench.media.servers import ROOT

INTO = ROOT / "docs" / "performance"
_FROM = ROOT / "bench" / "results" / "media.json"
_COLORS = {
    "Salon": "#1f6feb",
    "Salon WebSocket": "#7cb0ff",
    "Pipecat": "#d1495b",
    "Pipecat with VAD": "#e8a0a9",
    "FastRTC": "#e28e2c",
    "relay": "#5b8c5a",
    "floor": "#8b8b8b",
}
_COMPARED = ("Salon", "Pipecat", "FastRTC")
_MEDIA = ((True, "with a camera"), (False, "audio only"))
_PANEL = (4.6, 3.6)
"""Inches."""
_STYLE: dict[RcKeyType, Any] = {
    # The same figures make the same file.
    "svg.hashsalt": "salon",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def draw(rows: Sequence[Row], into: Path) -> None:
    """Draws every plot.

    Args:
        rows: What was measured.
        into: The folder for them.
    """
    into.mkdir(parents=True, exist_ok=True)
    plots = {
        "added": added_by_sessions,
        "parts": up_and_down,
        "cpu": cpu_by_sessions,
        "lines": added_by_line,
        "loss": turns_after_loss,
    }
    with matplotlib.rc_context(_STYLE):
        for name, plot in plots.items():
            figure = plot(rows)
            figure.savefig(into / f"{name}.svg", metadata={"Date": None, "Creator": None}, dpi=72)


def added_by_sessions(rows: Sequence[Row]) -> Figure:
    """Added latency against the number of sessions, p50 and p95."""
    figure, panels = _panels(2)
    for axes, (camera, title) in zip(panels, _MEDIA, strict=True):
        for system in _COLORS:
            own = [row for row in _clean(rows, system, camera) if row.figures.added]
            if not own:
                continue
            sessions = [row.sessions for row in own]
            for percent, style in ((50, "o-"), (95, "^--")):
                values = [percentile(row.figures.added, percent) for row in own]
                axes.plot(
                    sessions,
                    values,
                    style,
                    color=_COLORS[system],
                    label=system if percent == 50 else None,
                    markersize=4,
                    linewidth=1.4,
                )
        axes.set(title=title, yscale="log", ylabel="added latency, ms: p50 (line), p95 (dashes)")
        _by_sessions(axes, rows)
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    _legend_beside(figure, panels)
    return figure


def up_and_down(rows: Sequence[Row]) -> Figure:
    """The two parts of added latency with one session, as stacked bars."""
    figure, panels = _panels(2)
    for axes, (camera, title) in zip(panels, _MEDIA, strict=True):
        own = [row for s in reversed(_COLORS) for row in _clean(rows, s, camera)]
        own = [row for row in own if row.sessions == 1 and row.figures.added]
        names = [row.system for row in own]
        up = [statistics.median(row.figures.uplink) for row in own]
        down = [statistics.median(row.figures.downlink) for row in own]
        axes.barh(names, up, color="#1f6feb", label="up: last word to the model")
        axes.barh(names, down, left=up, color="#9ec5fe", label="down: first word of the answer")
        for name, first, second in zip(names, up, down, strict=True):
            axes.annotate(
                f"{first:.0f} + {second:.0f}",
                (first + second, name),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set(title=title, xlabel="median with one session, ms")
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.25)
    _legend_below(figure, panels, columns=2)
    return figure


def cpu_by_sessions(rows: Sequence[Row]) -> Figure:
    """Processor seconds a session-minute against the number of sessions."""
    figure, panels = _panels(2)
    for axes, (camera, title) in zip(panels, _MEDIA, strict=True):
        for system, color in _COLORS.items():
            own = [row for row in _clean(rows, system, camera) if row.cpu_s]
            sessions = [row.sessions for row in own]
            values = [statistics.median(row.cpu_s) for row in own]
            if own:
                axes.plot(
                    sessions, values, "o-", color=color, label=system, markersize=4, linewidth=1.4
                )
        axes.set(title=title, ylabel="CPU seconds a session-minute")
        axes.set_ylim(bottom=0)
        _by_sessions(axes, rows)
    _legend_beside(figure, panels)
    return figure


def added_by_line(rows: Sequence[Row]) -> Figure:
    """Added latency on each kind of line: medians as bars, p95 as whiskers."""
    figure, (axes,) = _panels(1, width=2.0)
    lines = [name for line in LINES for name in ([line] if line in _plain() else [SOON, LATER])]
    width = 0.8 / len(_COMPARED)
    for number, system in enumerate(_COMPARED):
        own = {row.line: row.figures.added for row in rows if _is_lone_voice(row, system)}
        places = [n for n, line in enumerate(lines) if own.get(line)]
        if not places:
            continue
        medians = [percentile(own[lines[n]], 50) for n in places]
        above = [percentile(own[lines[n]], 95) - m for n, m in zip(places, medians, strict=True)]
        axes.bar(
            [place + (number - 1) * width for place in places],
            medians,
            width,
            yerr=([0.0] * len(above), above),
            color=_COLORS[system],
            ecolor="#555555",
            capsize=2,
            error_kw={"linewidth": 0.8},
            label=system,
        )
    axes.set(
        title="one session, audio only, by what the line does to packets",
        ylabel="added latency, ms: p50, whisker to p95",
    )
    axes.set_xticks(range(len(lines)), [line.replace(", ", ",\n") for line in lines])
    axes.tick_params(axis="x", labelrotation=30)
    axes.grid(visible=False, axis="x")
    axes.legend(*axes.get_legend_handles_labels())
    return figure


def turns_after_loss(rows: Sequence[Row]) -> Figure:
    """The added latency of each turn after one lost packet, by the seconds since."""
    figure, (axes,) = _panels(1, width=1.6)
    for system in _COMPARED:
        own = [row for row in rows if _is_lone_voice(row, system) and row.line in (SOON, LATER)]
        since = [seconds for row in own for seconds in row.figures.since_loss]
        added = [value for row in own for value in row.figures.added]
        if since:
            axes.plot(since, added, "o", color=_COLORS[system], markersize=4, label=system)
        clean = [v for row in _clean(rows, system, False, 1) for v in row.figures.added]
        if clean:
            axes.axhline(
                statistics.median(clean),
                color=_COLORS[system],
                linestyle=":",
                label=f"{system}, median on a clean line",
            )
    axes.axvline(RECOVERED_S, color="#555555", linewidth=0.8)
    axes.set(
        title="one session, audio only, one packet lost",
        xlabel="seconds since the one lost packet",
        ylabel="added latency of each turn, ms",
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    _legend_beside(figure, [axes])
    return figure


def _panels(count: int, *, width: float = 1.0) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(_PANEL[0] * count * width, _PANEL[1]), layout="constrained")
    panels = figure.subplots(1, count, squeeze=False)[0]
    return figure, panels


def _by_sessions(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_xlabel("sessions at a time")
    axes.set_xticks(sorted({row.sessions for row in rows}))


def _legend_beside(figure: Figure, panels: Sequence[Axes]) -> None:
    figure.legend(*_labels(panels), loc="outside right upper")


def _legend_below(figure: Figure, panels: Sequence[Axes], *, columns: int) -> None:
    figure.legend(*_labels(panels), loc="outside lower center", ncols=columns)


def _labels(panels: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Each label of any panel once."""
    by_label: dict[str, Any] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        by_label |= dict(zip(labels, handles, strict=True))
    return list(by_label.values()), list(by_label)


def _clean(
    rows: Sequence[Row], system: str, camera: bool, sessions: int | None = None
) -> list[Row]:
    own = [r for r in rows if (r.system, r.camera, r.line) == (system, camera, CLEAN)]
    return sorted((r for r in own if sessions in (None, r.sessions)), key=lambda row: row.sessions)


def _is_lone_voice(row: Row, system: str) -> bool:
    return (row.system, row.sessions, row.camera) == (system, 1, False)


def _plain() -> list[str]:
    return [name for name, line in LINES.items() if not line.loses_one]


def main() -> int:
    """Draws what a file holds."""
    parser = argparse.ArgumentParser(prog="bench-plots", description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, default=_FROM, metavar="FILE.json")
    parser.add_argument("--into", type=Path, default=INTO, metavar="FOLDER")
    arguments = parser.parse_args()
    if not arguments.source.exists():
        print(f"bench-plots: there is no {arguments.source}: make bench writes it", file=sys.stderr)
        return 2
    draw(rows_of(arguments.source.read_text()), arguments.into)
    print(f"drawn: {arguments.into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
