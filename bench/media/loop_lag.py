"""How late a server's event loops are: run as `python loop_lag.py server.py ...`, it notes it down.

Every 50 ms a task wants to run; by how much it is late is what everything else on the loop waits
too. Of the standard library only: it runs in each peer's own environment, around its own script.
Processes that the server has from multiprocessing note it down too.
"""

from __future__ import annotations

import asyncio
import multiprocessing.spawn
import os
import runpy
import sys
import time
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

FILE = "BENCH_LAG_FILE"
"""The variable with the name of the file."""
PERIOD_S = 0.05
_WRITTEN_EVERY_S = 1.0
_IDLE = 0.03
"""Of a processor: who uses less serves no call, and is late for nobody."""


def lags(text: str, *, since_s: float, until_s: float) -> list[float]:
    """By how many milliseconds loops were late, of processes that were at work.

    Args:
        text: Of the file.
        since_s: From when, in monotonic seconds.
        until_s: Until when.
    """
    noted: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in text.splitlines():
        at_s, late_ms, cpu_s, pid = line.split()
        if since_s <= float(at_s) < until_s:
            noted[pid].append((float(late_ms), float(cpu_s)))
    busy_s = _IDLE * (until_s - since_s)
    busy = [rows for rows in noted.values() if rows[-1][1] - rows[0][1] >= busy_s]
    return [late_ms for rows in busy or noted.values() for late_ms, _ in rows]


def watch_loops(path: str) -> None:
    """Has each event loop that is run from now on note down how late it is.

    uvicorn's servers and `asyncio.run` both come through `asyncio.Runner`, whatever the loop.
    """
    run = asyncio.Runner.run

    def watched_run(self: asyncio.Runner, coro: Coroutine[Any, Any, Any], **options: Any) -> Any:
        return run(self, _watched(coro, path), **options)

    asyncio.Runner.run = watched_run


async def _watched(coro: Coroutine[Any, Any, Any], path: str) -> Any:
    ticking = asyncio.create_task(_tick(path))
    try:
        return await coro
    finally:
        ticking.cancel()


async def _tick(path: str) -> None:
    with open(path, "a") as file:  # noqa: ASYNC230 (a few hundred bytes a second)
        written_s = time.monotonic()
        while True:
            due_s = time.monotonic() + PERIOD_S
            await asyncio.sleep(PERIOD_S)
            now_s = time.monotonic()
            late_ms = max(0.0, now_s - due_s) * 1000
            file.write(f"{now_s:.3f} {late_ms:.1f} {time.process_time():.3f} {os.getpid()}\n")
            if now_s >= written_s + _WRITTEN_EVERY_S:
                file.flush()
                written_s = now_s


def main() -> None:
    """Runs the script as if it had been run itself."""
    watch_loops(os.environ[FILE])
    _reach_processes()
    del sys.argv[0]
    script = os.path.abspath(sys.argv[0])
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")


def _reach_processes() -> None:
    """Has multiprocessing's processes run this file where they would run the server's script."""
    prepare = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {**prepare(name), "init_main_from_path": os.path.abspath(__file__)}

    multiprocessing.spawn.get_preparation_data = get_preparation_data


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    watch_loops(os.environ[FILE])
