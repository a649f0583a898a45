"""A million wrong messages: the understudy may refuse them and close, and nothing else.

Most are said to the parser and the session in this process, at full speed; one in forty to an
understudy in a process of its own, over TLS. Whatever a session does beside taking a message or
closing with a reason fails the run. So does memory, an object, a task, a file or a thread that
stays behind: what the processes hold on to is looked at at regular points, and may not grow any
more over the second half.
"""

from __future__ import annotations

import argparse
import faulthandler
import platform
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvloop

from bench import fuzz_sockets
from bench.fuzz_sessions import MAX_HANDLES, Broken, InProcess, Tally
from bench.fuzz_sockets import MAX_RECORDS, SOCKETS, fuzz_over_sockets
from bench.holdings import Bounds, Holdings, Sample, table
from understudy import spoken

DEFAULT_COUNT = 1_000_000
_SOCKET_SHARE = 40
_WARM_UP = 20_000
_SAMPLES = 20
_HANGS_S = 600
"""Between two samples, which are half a minute apart."""
_PAGE = Path(__file__).with_name("results") / "understudy-fuzz.md"

_IN_PROCESS = Bounds(
    above_start_bytes=8_000_000,
    late_bytes=1_000_000,
    late_objects=200,
    late_blocks=600,
    why=f"{MAX_HANDLES} resumption handles of 3 KB are kept from the beginning, which know more or "
    "less, and nothing else is; a message of a megabyte, with its copies, lies free for a while. "
    "Ten lines of this table are 20 objects and 230 blocks. One thing that stays behind in a "
    "thousand messages would be seen.",
)
_OVER_TLS = Bounds(
    above_start_bytes=25_000_000,
    late_bytes=2_000_000,
    late_objects=300,
    late_blocks=1_000,
    why=f"{spoken.MAX_BYTES / 1e6:.0f} MB of speech, the most there can be, and 2,048 names of "
    f"fields are remembered before the first line, {MAX_RECORDS} events of 0.5 KB and "
    f"{fuzz_sockets.MAX_HANDLES} handles of 3 KB soon after it; Pillow takes 5 MB when it is first "
    f"used, and {SOCKETS} connections 300 KB each. The rest waits for the garbage collector or "
    "lies free between what is used. Over the second half what is remembered may differ in length.",
)


@dataclass(frozen=True)
class Part:
    """One part of the run and what came of it.

    Attributes:
        title: Where the messages were said.
        tally: How the sessions ended.
        samples: What was held on to.
        bounds: What may be.
    """

    title: str
    tally: Tally
    samples: list[Sample]
    bounds: Bounds

    @property
    def complaints(self) -> list[str]:
        """What grew too much."""
        return self.bounds.complaints(self.samples)


def fuzz_in_process(seed: int, count: int) -> Part:
    """Says so many wrong things to the parser and the session.

    Raises:
        Broken: Something else than refusals came of it. A message that takes for ever ends the
            process instead, and it is told where.
    """
    tally, samples = Tally(), list[Sample]()
    said, begun_s = InProcess(seed, tally), time.perf_counter()
    warm_up = min(_WARM_UP, count // 2)
    for number in range(_SAMPLES + 1):
        faulthandler.dump_traceback_later(_HANGS_S, exit=True)
        until = warm_up + (count - warm_up) * number // _SAMPLES
        said.say(until - tally.messages)
        samples.append(Sample(tally.messages, time.perf_counter() - begun_s, Holdings.here()))
        rate = tally.messages / (time.perf_counter() - begun_s)
        print(f"  {tally.messages} messages, {rate:.0f} a second", flush=True)
    faulthandler.cancel_dump_traceback_later()
    return Part("In process", tally, samples, _IN_PROCESS)


def fuzz_over_tls(seed: int, count: int) -> Part:
    """Says so many wrong things to an understudy in a process of its own.

    Raises:
        Broken: It ended, it closed without a refusal, or a session did not end.
    """
    tally = Tally()
    samples = uvloop.run(fuzz_over_sockets(seed, count, tally))
    return Part("Over TLS", tally, samples, _OVER_TLS)


def page(parts: list[Part], *, seed: int, seconds: float) -> str:
    """Returns the page with the results."""
    messages = sum(part.tally.messages for part in parts)
    complaints = [f"{part.title}: {said}." for part in parts for said in part.complaints]
    return "\n".join(
        [
            "# The understudy and a million wrong messages",
            "",
            f"Written by `make fuzz`: {messages:,} wrong messages, seed {seed}, in "
            f"{seconds / 60:.1f} minutes. Bytes that are no text, JSON that is cut, spliced or "
            "nested without end, fields and values that do not exist, messages at the wrong "
            "moment; right ones in between, so that sessions get further. Every one was taken or "
            "refused with a close code and a reason: anything else ends the run.",
            "",
            f"Run with {platform.python_implementation()} {platform.python_version()} on "
            f"{psutil.cpu_count()} cores.",
            *(line for part in parts for line in _section(part)),
            "",
            "## Verdict",
            "",
            *(complaints or ["No process ended, and nothing stays behind."]),
            "",
        ]
    )


def _section(part: Part) -> list[str]:
    bounds, tally = part.bounds, part.tally
    return [
        "",
        f"## {part.title}",
        "",
        f"{tally.messages:,} wrong messages to {tally.sessions:,} sessions.",
        "",
        *table(part.samples),
        "",
        "Memory is anonymous memory when the garbage collector has been around and the allocator "
        "has given back what lies free, and as it was found before that. Objects are those that "
        "the garbage collector knows, blocks the pieces that Python's allocator has handed out. "
        "The middle is marked.",
        "",
        f"Allowed: {bounds.above_start_bytes / 1e6:.0f} MB, as found, above the first line at any "
        f"time; over the second half {bounds.late_bytes / 1e6:.0f} MB, {bounds.late_objects} "
        f"objects and {bounds.late_blocks} blocks, and no task, file or thread. {bounds.why}",
        "",
        "| Sessions | Ended with |",
        "|--:|---|",
        *(f"| {number} | {_cell(how)} |" for how, number in tally.closes.most_common(16)),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    """Runs both parts, prints what came of them and writes the page of a full run.

    Returns:
        0, or 1 when the understudy did what it never should.
    """
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="how many messages")
    parser.add_argument("--seed", type=int, help="the same seed says the same; default: a new one")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}; again with --seed {seed} --count {options.count}", flush=True)
    begun_s = time.perf_counter()
    over_tls = options.count // _SOCKET_SHARE
    runs: list[tuple[str, Callable[[int, int], Part], int]] = [
        ("in process", fuzz_in_process, options.count - over_tls),
        ("over TLS", fuzz_over_tls, over_tls),
    ]
    parts: list[Part] = []
    failures: list[Exception] = []
    try:
        for title, run, count in runs:
            print(f"{title} ...", flush=True)
            parts.append(run(seed, count))
    except* Broken as broken:
        failures += broken.exceptions
    if failures:
        print(*(f"fuzz: {failure}" for failure in failures), sep="\n", file=sys.stderr)
        return 1
    text = page(parts, seed=seed, seconds=time.perf_counter() - begun_s)
    print(text)
    if options.count >= DEFAULT_COUNT:
        _PAGE.write_text(text)
    return 1 if any(part.complaints for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
