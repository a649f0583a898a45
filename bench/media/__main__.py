"""The command behind `make bench`: Salon and its peers, one after the other, under each load."""

from __future__ import annotations

import argparse
import math
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from bench.media.figures import UnmatchedError, figures
from bench.media.line import LINES
from bench.media.runs import CallersError, Load, run
from bench.media.servers import SYSTEMS, InstallError, ServerError, System, install
from bench.media.table import Row, page, table

_RESULTS = Path(__file__).parents[1] / "results" / "media.md"
_SESSIONS = (1, 2, 4, 8)
_INTERRUPTED = 130
_RECOVERED_S = 5.0
"""After one lost packet, latency is wanted back by then."""


def main() -> int:
    """Measures, prints and writes the results.

    Returns:
        0, 1 when a load came to nothing, 2 when there is none or a peer could not be installed.
    """
    arguments = _arguments()
    # Told to end, it takes along what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows: dict[tuple[str, int, bool, str], Row] = {}
    try:
        loads = list(_loads(arguments))
        if not loads:
            print("bench: none of these servers takes such a load", file=sys.stderr)
            return 2
        for system in {load.system.name: load.system for load in loads}.values():
            install(system)
        begun_s = time.monotonic()
        for number in range(arguments.rounds):
            for load in loads:
                _say(f"round {number + 1}, {_title(load)} ...")
                _measure(load, rows)
    except InstallError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return _INTERRUPTED
    ordered = sorted(rows.values(), key=_order)
    print(table(ordered))
    _say(f"{(time.monotonic() - begun_s) / 60:.0f} minutes")
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text(page(ordered, machine=_machine(arguments.rounds)))
    _say(f"written: {arguments.to}")
    return 1 if any(row.failed for row in ordered) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one session, few turns: a minute")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is done; default: 1")
    parser.add_argument("--turns", type=int, default=8, help="questions of each caller")
    parser.add_argument("--barge-ins", type=int, default=4, help="interruptions of each caller")
    parser.add_argument(
        "--sessions", type=_numbers, default=_SESSIONS, metavar="N,N", help="callers at a time"
    )
    parser.add_argument(
        "--only", type=_names(SYSTEMS), metavar="NAME,NAME", help=", ".join(SYSTEMS)
    )
    parser.add_argument(
        "--media", choices=("audio", "camera", "both"), default="both", help="what callers send"
    )
    parser.add_argument(
        "--lines",
        type=_names(LINES),
        metavar="NAME,NAME",
        help=f"{', '.join(LINES)}; by default all, but bad ones for one voice only",
    )
    parser.add_argument("--to", type=Path, default=_RESULTS, metavar="FILE", help="where it goes")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sessions, arguments.turns, arguments.barge_ins = (1,), 2, 1
        arguments.only = arguments.only or ["Salon", "floor"]
        arguments.media = "camera" if arguments.media == "both" else arguments.media
        arguments.lines = arguments.lines or ["clean"]
    return arguments


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        by_lower = {name.lower(): name for name in known}
        names = [by_lower.get(name.strip().lower()) for name in text.split(",")]
        if None in names:
            raise argparse.ArgumentTypeError(f"there are {', '.join(known)}")
        return [name for name in names if name]

    return read


def _loads(arguments: argparse.Namespace) -> Iterator[Load]:
    """The loads of a round: server after server under the same one."""
    systems = [SYSTEMS[name] for name in arguments.only or SYSTEMS]
    cameras = {"audio": [False], "camera": [True], "both": [True, False]}[arguments.media]
    for camera in cameras:
        for sessions in arguments.sessions:
            for line in arguments.lines or LINES:
                if arguments.lines or line == "clean" or (sessions == 1 and not camera):
                    for system in systems:
                        if _fits(system, sessions, camera, line):
                            yield Load(
                                system=system,
                                sessions=sessions,
                                camera=camera,
                                line=line,
                                turns=arguments.turns,
                                barge_ins=arguments.barge_ins if line == "clean" else 0,
                            )


def _fits(system: System, sessions: int, camera: bool, line: str) -> bool:
    if line != "clean":
        return system.is_webrtc
    if camera and not system.shows:
        return False
    return system.is_served or sessions == 1


def _measure(load: Load, rows: dict[tuple[str, int, bool, str], Row]) -> None:
    windows: dict[str, tuple[float, float] | None] = {load.line: None}
    if LINES[load.line].loses_one:
        windows = {
            f"{load.line}, {_RECOVERED_S:.0f} s after": (0, _RECOVERED_S),
            f"{load.line}, later": (_RECOVERED_S, math.inf),
        }
    own: list[Row] = []
    for line in windows:
        row = Row(system=load.system.name, sessions=load.sessions, camera=load.camera, line=line)
        own.append(rows.setdefault(_key(row), row))
    try:
        outcome = run(load)
        for row, window in zip(own, windows.values(), strict=True):
            row.figures.add(figures(outcome.calls, outcome.record, since_loss_s=window))
    except (ServerError, CallersError, UnmatchedError) as error:
        own[0].failed.append(str(error))
        return _say(f"  {error}")
    for row in own:
        row.others_cores.append(outcome.others_cores)
        if outcome.cpu_s is not None and outcome.memory_mb is not None:
            row.cpu_s.append(outcome.cpu_s)
            row.memory_mb.append(outcome.memory_mb)
    print(table(own).splitlines()[-1], flush=True)


def _key(row: Row) -> tuple[str, int, bool, str]:
    return row.system, row.sessions, row.camera, row.line


def _order(row: Row) -> tuple[object, ...]:
    """Clean lines first; servers under the same load beside each other."""
    lines = list(LINES)
    line = next(number for number, name in enumerate(lines) if row.line.startswith(name))
    return line, row.line, not row.camera, row.sessions, list(SYSTEMS).index(row.system)


def _title(load: Load) -> str:
    media = "camera" if load.camera else "audio"
    return f"{load.system.name}: {load.sessions} x {media}, {load.line}"


def _machine(rounds: int) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    often = "once" if rounds == 1 else f"in {rounds} rounds"
    return f"Measured {often} with {python} on {psutil.cpu_count()} cores, on loopback."


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
