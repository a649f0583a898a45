"""A bot that breaks when its caller asks it to, in every way in which a process can break.

`python -m tests.support.faulty` is the server's command with this bot in place of the real one,
which it is but for `{"fault": ..., "after_s": ...}` in the body of `/start`.
"""

import asyncio
import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path

import runner


async def bot(args) -> None:
    """Hold the conversation, and break in it."""
    from bot import bot as real_bot

    body = args.body or {}
    if fault := body.get("fault"):
        FAULTS[fault](body.get("after_s", 0))
    await real_bot(args)


def _later(after_s: float, act: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(after_s, act)


def _block(after_s: float) -> None:
    def block() -> None:
        time.sleep(60)

    _later(after_s, block)


def _block_in_c(after_s: float) -> None:
    """Where the interpreter's lock is held, no thread of Python's can look."""
    _later(after_s, lambda: ctypes.PyDLL(None).sleep(60))


def _grow(after_s: float) -> None:
    """20 MB more every 20 ms, as a leak does in an hour."""
    held = []

    def more() -> None:
        held.append(bytearray(b"x" * (20 * 2**20)))
        _later(0.02, more)

    _later(after_s, more)


def _crash(after_s: float) -> None:
    _later(after_s, lambda: ctypes.string_at(0))


def _leave(after_s: float) -> None:
    _later(after_s, lambda: sys.exit(3))


def _raise(after_s: float) -> None:
    """From then on a processor raises for every frame of sound."""
    from pipecat.frames.frames import InputAudioRawFrame

    from processors.ear import Ear

    process_frame = Ear.process_frame
    from_s = time.monotonic() + after_s

    async def raising(self, frame, direction):
        if isinstance(frame, InputAudioRawFrame) and time.monotonic() > from_s:
            raise RuntimeError("a fault that was asked for")
        await process_frame(self, frame, direction)

    Ear.process_frame = raising


def _fill_disk(after_s: float) -> None:
    """The kernel's own full disk takes the turn log's place."""
    from journal.journal_file import JournalFile

    from_s = time.monotonic() + after_s
    write = JournalFile._write

    def writing(self, data: bytes) -> None:
        if time.monotonic() > from_s:
            self.path = Path("/dev/full")
        write(self, data)

    JournalFile._write = writing


def _move_clock(by_s: float) -> Callable[[float], None]:
    """As Python code sees it: aiortc, Pipecat and ours tell the time by `time.time`."""

    def move(after_s: float) -> None:
        from processors.turn_logger import TurnLogger

        real = time.time
        # It has the function itself, from before.
        defaults = TurnLogger.__init__.__kwdefaults__
        assert defaults and defaults["clock"] is real
        defaults["clock"] = lambda: time.time()

        def moved() -> None:
            time.time = lambda: real() + by_s
            time.time_ns = lambda: int(time.time() * 1e9)

        _later(after_s, moved)

    return move


FAULTS: dict[str, Callable[[float], None]] = {
    "block": _block,
    "block in C": _block_in_c,
    "grow": _grow,
    "crash": _crash,
    "leave": _leave,
    "raise": _raise,
    "fill disk": _fill_disk,
    "clock forward": _move_clock(2 * 86_400),
    "clock back": _move_clock(-2 * 86_400),
}

if __name__ == "__main__":
    sys.exit(runner.main(bot_path="tests.support.faulty:bot"))
