"""Daily's API fails at each step of a call: the caller is told, no room is left, the slot is free."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from serving.offline import MESSAGE
from tests.phone.served import LINE_HZ, Served, answered, served, sound
from understudy.daily.phone import PhoneCall as Telephone

SLOTS = 6
"""Fewer than the calls that fail here: if one did not give its slot back, the last are not taken."""
HOLD_S = 5.0
"""How long callers wait on hold where nobody will pick up."""
ROOM, TOKEN = "POST /rooms", "POST /meeting-tokens"
PICK_UP, DELETE = "POST /dialin/pinlessCallUpdate", "DELETE /rooms"
PASSING: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 429},
    {"status": 429, "retry_after_s": 1},
    {"is_cut": True},
    {"status": 503, "is_done": True},
]
"""What goes by when it is tried again."""
MENU = """
- {call: end_call, contains: ["pressed: 9"]}
- {say: Goodbye., returned: end_call}
"""


@pytest.fixture(scope="module")
def server_with_daily(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("breaks")
    variables = {"SALON_MAX_SESSIONS": str(SLOTS), "SALON_PHONE_SILENCE_S": "60"}
    with served(folder, menu=MENU, **variables) as site:
        yield site


@pytest.fixture
async def site(server_with_daily: Served) -> AsyncIterator[Served]:
    """The server, with a Daily that does what it is asked until a test orders otherwise."""
    await server_with_daily.order("hold", hold_s=60)
    yield server_with_daily
    await server_with_daily.hang_up()
    await server_with_daily.all_well()
    await server_with_daily.no_room_is_left(within_s=25)


async def told_by_daily(call: Telephone) -> None:
    """Wait until a caller was never picked up, and heard so from Daily."""
    await call.until(lambda: call.state == "ended", within_s=HOLD_S + 5)
    assert call.told == [MESSAGE] and call.picked_up_at_s is None


# --- what does not go by: nobody can be connected, and Daily says so -----------------------------


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        (ROOM, {"status": 400}),
        (TOKEN, {"status": 401}),
        (PICK_UP, {"status": 400}),
        (PICK_UP, {"status": 500}),
        ("join", {"error": "RoomInfoFetchFailed"}),
    ],
)
async def test_who_can_not_be_connected_is_told_by_daily(site: Served, what, failure):
    await site.order("hold", hold_s=HOLD_S)
    await site.order("fail", what=what, times=None, **failure)
    await told_by_daily(await site.ring("+15552000"))
    await site.all_well()  # nobody is on hold any more: what is still tried is refused
    await site.no_room_is_left(within_s=10)


async def test_what_never_works_is_given_up(site: Served):
    # Of two calls one gets a room, and waits for tokens in vain; the other gets none.
    await site.order("hold", hold_s=HOLD_S)
    await site.order("fail", what=ROOM, skip=1, status=500, times=None)
    await site.order("fail", what=TOKEN, delay_s=5.5, times=None)
    calls = [await site.ring(f"+155521{n}") for n in range(2)]
    await asyncio.gather(*(told_by_daily(call) for call in calls))
    await site.no_room_is_left(within_s=25)
    requests = await _requests(site)
    assert (ROOM, 500) in requests and DELETE in {asked[: len(DELETE)] for asked, _ in requests}


# --- what goes by: they are connected, if a little later -------------------------------------------


@pytest.mark.parametrize(
    ("what", "slow_s"), [(ROOM, 5.5), (TOKEN, 5.5), (PICK_UP, 10.5)], ids=["room", "token", "pick"]
)
async def test_who_is_connected_late_is_greeted(site: Served, what: str, slow_s: float):
    failures = [*PASSING, {"delay_s": slow_s}]
    for failure in failures:
        await site.order("fail", what=what, **failure)
    callers = [f"+155522{n}" for n in range(len(failures))]
    calls = [await site.ring(caller) for caller in callers]
    await asyncio.gather(*(c.until(lambda c=c: c.heard, within_s=30) for c in calls))
    assert all(site.log(caller) for caller in callers), "none was told that lines are busy"
    await site.hang_up()
    await site.no_room_is_left(within_s=15)


async def test_a_room_that_daily_keeps_at_first_is_deleted_in_the_end(site: Served):
    failures = [*PASSING, {"delay_s": 5.5}]
    calls = [await site.ring(f"+155523{n}") for n in range(len(failures))]
    await asyncio.gather(*(c.until(lambda c=c: c.heard, within_s=20) for c in calls))
    for failure in failures:
        await site.order("fail", what=DELETE, **failure)
    await asyncio.gather(*(_goodbye(call) for call in calls))
    await site.no_room_is_left(within_s=20)


async def _goodbye(call: Telephone) -> None:
    """Have the bot say goodbye, and wait until it has hung up."""
    await answered(call, since_s=0)
    pressed_s = time.monotonic()
    call.press("9")
    await call.until(lambda: call.state == "ended", within_s=30)
    assert sound(call, since_s=pressed_s).size / LINE_HZ > 0.3


async def _requests(site: Served) -> list[tuple[str, int]]:
    """What was asked of Daily, and what it answered."""
    records = await site.seen("records")
    return [(r["request"], r["status"]) for r in records if r["event"] == "request"]
