"""The command behind `make bench`: Salon and its peers, one after the other, under each load."""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil

from bench.media.figures import UnmatchedError, figures
from bench.media.line import LINES
from bench.media.plan import Saturation, Wanted, loads, seconds
from bench.media.results import as_json
from bench.media.rows import Row, windows
from bench.media.runs import CallersError, Load, Outcome, run
from bench.media.servers import ROOT, SYSTEMS, InstallError, ServerError, install
from bench.media.table import page, table
from bench.media.targets import frame_shares, targets, targets_table

_RESULTS = ROOT / "bench" / "results" / "media.md"
_FRAMES = _RESULTS.with_name("frames.md")
_UNFINISHED = ROOT / "logs" / "bench" / "unfinished.md"
_INTERRUPTED = 130


def main() -> int:
    """Measures, prints and writes the results, also of a part when it is interrupted.

    Returns:
        0, 1 when a load came to nothing, 2 when there is none or a peer could not be installed, 130
        when it was interrupted.
    """
    arguments = _arguments()
    # Told to end, it takes along what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wanted = _wanted(arguments)
    planned = [load for _ in range(arguments.rounds) for load in loads(wanted)]
    if not planned:
        print("bench: none of these servers takes such a load", file=sys.stderr)
        return 2
    rows: dict[object, Row] = {}
    to, result = arguments.to or (_RESULTS if wanted == Wanted() else None), 0
    try:
        for system in {load.system.name: load.system for load in planned}.values():
            install(system)
        _measure_all(planned, rows)
    except InstallError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        to, result = _UNFINISHED, _INTERRUPTED
    if seen := sorted(rows.values(), key=lambda row: row.order):
        _write(seen, to, machine=_machine(arguments.rounds))
    return result or int(any(row.failed for row in seen))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one session, few turns: a minute")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is done; default: 1")
    parser.add_argument("--turns", type=int, help="questions of each caller")
    parser.add_argument("--barge-ins", type=int, help="interruptions of each caller")
    parser.add_argument("--sessions", type=_numbers, metavar="N,N", help="callers at a time")
    parser.add_argument(
        "--only", type=_names(SYSTEMS), metavar="NAME,NAME", help=", ".join(SYSTEMS)
    )
    parser.add_argument("--media", choices=("audio", "camera"), help="what callers send")
    parser.add_argument(
        "--lines",
        type=_names(LINES),
        metavar="NAME,NAME",
        help=f"{', '.join(LINES)}; by default all, but bad ones for one voice only",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FILE.md",
        help="where it goes, with its data in FILE.json beside it; by default what all of it has "
        f"shown goes to {_RESULTS.relative_to(ROOT)}, and less than that nowhere",
    )
    return parser.parse_args()


def _wanted(arguments: argparse.Namespace) -> Wanted:
    media = (arguments.media == "camera",) if arguments.media else None
    if not arguments.quick:
        return Wanted(
            only=arguments.only,
            media=media,
            sessions=arguments.sessions,
            lines=arguments.lines,
            turns=arguments.turns,
            barge_ins=arguments.barge_ins,
        )
    return Wanted(
        only=arguments.only or ("Salon", "floor"),
        media=media or (True,),
        sessions=(1,),
        lines=arguments.lines or ("clean",),
        turns=2,
        barge_ins=1,
    )


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


def _measure_all(planned: Sequence[Load], rows: dict[object, Row]) -> None:
    saturation = Saturation()
    begun_s = time.monotonic()
    _say(f"{len(planned)} runs, about {sum(map(seconds, planned)) / 60:.0f} minutes")
    for number, load in enumerate(planned, 1):
        title = f"[{number} of {len(planned)}] {_title(load)}"
        if saturation.spares(load):
            _say(f"{title}: left out, most turns are lost with fewer sessions")
            continue
        _say(f"{title} ...")
        own = [
            Row(system=load.system.name, sessions=load.sessions, camera=load.camera, line=line)
            for line in windows(load.line)
        ]
        own = [rows.setdefault(row.key, row) for row in own]
        try:
            outcome = run(load)
            _add(own, load, outcome, saturation)
        except (ServerError, CallersError, UnmatchedError) as error:
            own[0].failed.append(str(error))
            saturation.note(load, None)
            _say(f"  {error}")
        else:
            _say("\n".join(table(own).splitlines()[2:]))
    _say(f"{(time.monotonic() - begun_s) / 60:.0f} minutes")


def _add(own: Sequence[Row], load: Load, outcome: Outcome, saturation: Saturation) -> None:
    for row, window in zip(own, windows(load.line).values(), strict=True):
        seen = figures(outcome.calls, outcome.record, since_loss_s=window)
        saturation.note(load, seen)
        row.figures.add(seen)
        row.lag_ms += outcome.lag_ms
        row.others_cores.append(outcome.others_cores)
        if outcome.cpu_s is not None and outcome.memory_mb is not None:
            row.cpu_s.append(outcome.cpu_s)
            row.memory_mb.append(outcome.memory_mb)


def _write(rows: Sequence[Row], to: Path | None, *, machine: str) -> None:
    shares = frame_shares(_FRAMES.read_text()) if _FRAMES.exists() else {}
    aims = targets(rows, shares)
    print(targets_table(aims))
    print(table(rows))
    if not to:
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page(rows, aims, machine=machine))
    data = to.with_suffix(".json")
    data.write_text(as_json(rows, machine=machine))
    _say(f"written: {to}, {data}")
    if to == _RESULTS:
        # Only now: it loads for a second, and its memory would be the callers' machine's.
        from bench.media.plots import INTO, draw

        draw(rows, INTO)
        _say(f"drawn: {INTO}")


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
