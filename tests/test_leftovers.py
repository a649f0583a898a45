"""Sessions one after another leave no task, thread, file handle or process behind."""

import asyncio
import gc
import threading
import time

import psutil

from pipeline.pictures import PICTURE_THREADS
from tests.support.caller import BotDoor, Caller
from tests.support.media import Camera
from tests.support.understudies import understudy_in

SESSIONS = 20


def held() -> dict[str, int]:
    """What this process holds on to right now."""
    gc.collect()
    process = psutil.Process()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "file handles": process.num_fds(),
        "processes": len(process.children(recursive=True)),
    }


async def converse() -> None:
    """A short session in which everything is used: voice, camera, typing."""
    async with Caller(BotDoor(), camera=Camera()) as caller:
        await caller.bot_said("Hello")
        caller.types("one")
        await caller.bot_said("one")


async def fill_pools() -> None:
    """Let the process's thread pools grow to their full size, which they then keep."""
    loop = asyncio.get_running_loop()
    for pool, most in ((None, 40), (PICTURE_THREADS, 4)):
        waits = [loop.run_in_executor(pool, time.sleep, 0.05) for _ in range(most)]
        await asyncio.gather(*waits)


async def settled(before: dict[str, int], *, within_s: float = 10) -> dict[str, int]:
    """What is held once closing sockets and ending threads have come to rest."""
    after = held()
    try:
        async with asyncio.timeout(within_s):
            while any(after[kind] > before[kind] for kind in before):
                await asyncio.sleep(0.2)
                after = held()
    except TimeoutError:
        pass
    return after


async def test_twenty_sessions_leave_nothing_behind(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path):
        await converse()  # fills the caches that a process has once
        await fill_pools()
        before = held()
        for _ in range(SESSIONS):
            await converse()
        after = await settled(before)
        names = sorted(task.get_name() for task in asyncio.all_tasks())
        threads = sorted(thread.name for thread in threading.enumerate())
    assert len(list((tmp_path / "turns").iterdir())) == SESSIONS + 1
    assert {k: v for k, v in after.items() if v > before[k]} == {}, (names, threads)
