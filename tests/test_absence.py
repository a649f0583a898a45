"""Waiting for a caller who is away."""

import asyncio
from collections.abc import Callable

import pytest

from pipeline.absence import Absence


class Ending:
    """The end of a session, which takes a while."""

    def __init__(self):
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.is_done = False

    async def __call__(self):
        self.begun.set()
        await self.go_on.wait()
        self.is_done = True


def absence(ending: Ending, *, wait_s: float) -> Absence:
    return Absence(wait_s=wait_s, playout=None, on_over=ending, name="test")


@pytest.mark.parametrize("comes", [Absence.back, Absence.renewed, Absence.left])
async def test_who_comes_when_the_end_has_begun_does_not_stop_it(
    comes: Callable[[Absence], object],
):
    ending = Ending()
    waiting = absence(ending, wait_s=0.01)
    assert waiting.left()
    await asyncio.wait_for(ending.begun.wait(), 5)
    comes(waiting)
    ending.go_on.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert ending.is_done and not waiting.has_been
    await waiting.close()


async def test_who_comes_back_in_time_is_not_waited_for_any_more():
    ending = Ending()
    waiting = absence(ending, wait_s=60)
    waiting.left()
    waiting.back()
    assert waiting.has_been
    await waiting.close()
    assert not ending.begun.is_set()


async def test_nobody_is_waited_for_where_that_is_switched_off():
    waiting = absence(Ending(), wait_s=0)
    assert not waiting.left()
