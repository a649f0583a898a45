"""The command behind `make bench-serving`: the real server, and what its sessions cost."""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.media.calling import CallersError
from bench.media.clips import question_opus
from bench.media.figures import UnmatchedError
from bench.media.servers import ROOT, ServerError
from bench.serving import bursts, many, memory, starts
from bench.serving.figures import Results
from bench.serving.page import as_json, page
from bench.serving.plan import PARTS, QUICK, WHOLE, Plan
from bench.serving.targets import targets, targets_table
from serving.ice import use_addresses

_RESULTS = ROOT / "bench" / "results" / "serving.md"
_UNFINISHED = ROOT / "logs" / "bench" / "unfinished-serving.md"
_INTERRUPTED = 130
_SPARES = (1, 0)
_AT_A_TIME = 3


def main() -> int:
    """Measures, prints and writes the results, also of a part when it is interrupted.

    Returns:
        0, 1 when a part came to nothing, 130 when it was interrupted.
    """
    arguments = _arguments()
    # Told to end, it takes along what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = QUICK if arguments.quick else WHOLE
    parts = arguments.only or PARTS
    is_whole = not arguments.quick and len(parts) == len(PARTS)
    to, status = arguments.to or (_RESULTS if is_whole else None), 0
    use_addresses(["127.0.0.1"])
    results = Results()
    _say(f"about {sum(map(plan.seconds, parts)) / 60:.0f} minutes")
    try:
        for part in parts:
            _say(f"{part}: about {plan.seconds(part) / 60:.1f} minutes ...")
            begun_s = time.monotonic()
            try:
                _measure[part](plan, results)
            except (ServerError, CallersError, UnmatchedError) as error:
                _say(f"  {part} came to nothing: {error}")
                status = 1
            _say(f"  {(time.monotonic() - begun_s) / 60:.1f} minutes")
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        to, status = _UNFINISHED, _INTERRUPTED
    _write(results, to)
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few of everything: three minutes")
    parser.add_argument(
        "--only", type=_parts, metavar="PART,PART", help=f"of {', '.join(PARTS)}; default: all"
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FILE.md",
        help="where it goes, with its data in FILE.json beside it; by default what all of it has "
        f"shown goes to {_RESULTS.relative_to(ROOT)}, and less than that nowhere",
    )
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]}; there are {', '.join(PARTS)}")
    return names


def _starts(plan: Plan, results: Results) -> None:
    spoken = question_opus()
    for _ in range(plan.start_rounds):
        for spares in _SPARES:
            seen = starts.measure(spares=spares, count=plan.starts, spoken=spoken)
            results.starts.setdefault(spares, []).extend(seen)
            media = ", ".join(f"{start.media:.0f}" for start in seen)
            _say(f"  {spares} spares, first media after ms: {media}")


def _memory(plan: Plan, results: Results) -> None:
    for _ in range(plan.memory_rounds):
        memory.measure(results.memory, sessions=_AT_A_TIME, turns=plan.memory_turns)
    _say(f"  MB after talk: {', '.join(f'{mb:.1f}' for mb in results.memory.talked)}")


def _bursts(plan: Plan, results: Results) -> None:
    bursts.measure(results.bursts, turns=plan.burst_turns)
    _say(f"  {len(results.bursts.answers)} bursts")


def _many(plan: Plan, results: Results) -> None:
    begun_s = time.monotonic()
    many.measure(
        results.held,
        sessions=plan.sessions,
        every=plan.every,
        spoken=question_opus(),
        say=_say,
    )
    results.many_s = time.monotonic() - begun_s


_measure: dict[str, Callable[[Plan, Results], None]] = {
    "starts": _starts,
    "memory": _memory,
    "bursts": _bursts,
    "many": _many,
}


def _write(results: Results, to: Path | None) -> None:
    print(targets_table(targets(results)))
    text = page(results, machine=_machine())
    if not to:
        print(text)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text)
    data = to.with_suffix(".json")
    data.write_text(as_json(results, machine=_machine()))
    _say(f"written: {to}, {data}")


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Measured with {python} on {psutil.cpu_count()} cores, on loopback."


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
