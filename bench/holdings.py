"""What a process holds on to, looked at again and again: a leak is growth that goes on."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Holdings:
    """What a process holds on to.

    Attributes:
        found_bytes: Anonymous memory as it was found. Not the unique set size (USS): that has the
            pages of libraries in it as soon as no other process has loaded them too, and so grows
            by 23 MB when some other Python ends.
        memory_bytes: What is left of it when the garbage collector has been around and the
            allocator has given back what lies free.
        objects: How many objects the garbage collector knows.
        blocks: How many pieces of memory Python's own allocator has handed out: the small ones,
            such as short texts, which the collector doesn't know.
        tasks: How many asyncio tasks there are.
        files: How many file descriptors.
        threads: How many threads.
    """

    found_bytes: int
    memory_bytes: int
    objects: int
    blocks: int
    tasks: int
    files: int
    threads: int

    @classmethod
    def here(cls) -> Holdings:
        """Looks at this process."""
        process = psutil.Process()
        found_bytes = _anonymous_bytes(process)
        re.purge()  # keeps up to 512 patterns
        gc.collect()
        if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # glibc has it
            trim(0)
        try:
            tasks = len(asyncio.all_tasks())
        except RuntimeError:  # no loop is running
            tasks = 0
        return cls(
            found_bytes,
            _anonymous_bytes(process),
            len(gc.get_objects()),
            sys.getallocatedblocks(),
            tasks,
            process.num_fds(),
            process.num_threads(),
        )


def _anonymous_bytes(process: psutil.Process) -> int:
    memory = process.memory_info()
    return memory.rss - memory.shared


@dataclass(frozen=True)
class Sample:
    """What was held on to after so many messages and seconds."""

    messages: int
    seconds: float
    held: Holdings


@dataclass(frozen=True)
class Bounds:
    """What a process may hold on to.

    Attributes:
        above_start_bytes: By how much memory as found may ever exceed that of the first sample.
        late_bytes: By how much memory may grow over the second half.
        late_objects: By how many the objects may.
        late_blocks: By how many the blocks may.
        why: What the bounds follow from, in a sentence or two.
    """

    above_start_bytes: int
    late_bytes: int
    late_objects: int
    late_blocks: int
    why: str

    def complaints(self, samples: Sequence[Sample]) -> list[str]:
        """Returns what grew too much; files, tasks and threads may not over the second half."""
        first, middle, last = (samples[i].held for i in (0, len(samples) // 2, -1))
        above = max(sample.held.found_bytes for sample in samples) - first.found_bytes
        memory = last.memory_bytes - middle.memory_bytes
        said = []
        if above > self.above_start_bytes:
            said.append(f"memory rose by {_mb(above)}, {_mb(self.above_start_bytes)} are allowed")
        if memory > self.late_bytes:
            said.append(f"the second half took {_mb(memory)}, {_mb(self.late_bytes)} are allowed")
        for name in ("objects", "blocks"):
            left, allowed = (
                getattr(last, name) - getattr(middle, name),
                getattr(self, f"late_{name}"),
            )
            if left > allowed:
                said.append(f"the second half left {left} {name}, {allowed} are allowed")
        for name in ("tasks", "files", "threads"):
            if getattr(last, name) > getattr(middle, name):
                said.append(f"{name}: {getattr(middle, name)} half-way, {getattr(last, name)} left")
        return said


def table(samples: Sequence[Sample]) -> list[str]:
    """Returns the samples as the lines of a table; the middle one is marked."""
    return [
        "| Messages | Seconds | Memory | As found | Objects | Blocks | Tasks | Files | Threads |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(sample, is_middle=i == len(samples) // 2) for i, sample in enumerate(samples)),
    ]


def _row(sample: Sample, *, is_middle: bool) -> str:
    held = sample.held
    return (
        f"| {sample.messages}{' *' if is_middle else ''} | {sample.seconds:.0f} "
        f"| {_mb(held.memory_bytes)} | {_mb(held.found_bytes)} | {held.objects} "
        f"| {held.blocks} | {held.tasks} | {held.files} | {held.threads} |"
    )


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
