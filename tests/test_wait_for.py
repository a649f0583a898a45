"""Waiting with a time limit: what `wait_for2` does under Pipecat, and what ours does."""

import asyncio
import sys

import pytest

from pipeline.wait_for import use_light_wait_for, wait_for


async def rounds(wait_for) -> tuple[int, int]:
    """Rounds of the event loop, and tasks, that it takes to get what is there."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)
    loop, count, tasks = asyncio.get_running_loop(), 0, 0

    def next_round():
        nonlocal count, tasks
        count, tasks = count + 1, max(tasks, len(asyncio.all_tasks()) - 1)
        loop.call_soon(next_round)

    next_round()
    count = 0
    await wait_for(queue.get(), 5)
    seen = count, tasks
    next_round = lambda: None  # noqa: E731
    return seen


async def test_ours_takes_none():
    assert await rounds(wait_for) == (0, 0)


async def test_what_takes_too_long_is_cancelled():
    task = asyncio.create_task(asyncio.sleep(10))
    with pytest.raises(TimeoutError):
        await wait_for(task, 0.01)
    assert task.cancelled()


@pytest.mark.parametrize("timeout", [0, -1])
async def test_without_time_only_what_is_done_is_given(timeout):
    done = asyncio.get_running_loop().create_future()
    done.set_result("done")
    assert await wait_for(done, timeout) == "done"
    with pytest.raises(TimeoutError):
        await wait_for(asyncio.sleep(10), timeout)


async def test_without_a_limit_it_waits():
    assert await wait_for(asyncio.sleep(0.01, "there"), None) == "there"


async def test_who_is_cancelled_as_it_is_done_loses_nothing():
    """Cancelled before it could take what came, a queue's reader leaves it there."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    reader = asyncio.create_task(wait_for(queue.get(), 5))
    await asyncio.sleep(0)
    queue.put_nowait(1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert queue.get_nowait() == 1


if sys.version_info < (3, 12):  # later ones have it right, and Pipecat leaves it alone
    import wait_for2

    async def test_wait_for2_takes_a_task_and_some_rounds_for_what_is_there():
        count, tasks = await rounds(wait_for2.wait_for)
        assert count >= 2 and tasks == 1

    def test_it_is_put_in_place(monkeypatch):
        monkeypatch.setattr(asyncio, "wait_for", wait_for2.wait_for)
        use_light_wait_for()
        assert asyncio.wait_for is wait_for
