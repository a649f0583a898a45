"""What every dispatcher promises: nobody who uses one may know how many machines there are.

A further dispatcher is one more line in `DISPATCHERS`; it must pass all of this.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from serving.admission.admission import RESERVED_S, Admission, CallRequest, Limits, Refusal, Why
from serving.admission.dispatcher import Dispatcher, LeaseError, LocalDispatcher

SLOTS = 2


class Machine:
    """A server that carries two sessions and remembers what it was asked to begin."""

    def __init__(self):
        self.begun: list[str] = []

    def free_slots(self, admission: Admission) -> int:
        return SLOTS - admission.running

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        self.begun.append(session_id)
        return {"ok": {"said": question["say"]}}


async def local(limits: Limits) -> Dispatcher:
    return LocalDispatcher(Admission(limits))


DISPATCHERS: dict[str, Callable[[Limits], Awaitable[Dispatcher]]] = {"local": local}


@pytest.fixture(params=DISPATCHERS)
def make(request) -> Callable[[Limits], Awaitable[Dispatcher]]:
    return DISPATCHERS[request.param]


@pytest.fixture
async def dispatcher(make) -> Dispatcher:
    dispatcher = await make(Limits())
    await dispatcher.register(Machine())
    return dispatcher


def call(session_id: str, client: str = "a") -> CallRequest:
    return CallRequest(session_id=session_id, client=client)


async def is_taken(dispatcher: Dispatcher, session_id: str) -> bool:
    try:
        await dispatcher.offer(call(session_id))
    except Refusal as refusal:
        assert refusal.why is Why.FULL
        return False
    return True


async def test_before_a_server_is_there_nobody_is_taken(make):
    dispatcher = await make(Limits())
    assert not await is_taken(dispatcher, "1")
    with pytest.raises(LeaseError):
        await dispatcher.lease("1")


async def test_a_lease_leads_to_the_server_that_begins_the_session(make):
    dispatcher, machine = await make(Limits()), Machine()
    await dispatcher.register(machine)
    await dispatcher.offer(call("1"))
    lease = await dispatcher.lease("1")
    assert lease.session_id == "1"
    assert await lease.server.begin("1", {"say": "x"}) == {"ok": {"said": "x"}}
    assert machine.begun == ["1"]


async def test_offered_twice_is_one_slot(dispatcher: Dispatcher):
    for _ in range(3):
        await dispatcher.offer(call("1"))
    assert await is_taken(dispatcher, "2")


async def test_full_says_no_at_once_with_a_sentence(dispatcher: Dispatcher):
    await dispatcher.offer(call("1"))
    await dispatcher.offer(call("2"))
    async with asyncio.timeout(1):
        with pytest.raises(Refusal) as caught:
            await dispatcher.offer(call("3"))
    assert caught.value.why is Why.FULL
    assert caught.value.sentence.endswith(".") and caught.value.retry_after_s > 0


async def test_of_many_at_once_as_many_are_taken_as_there_are_slots(dispatcher: Dispatcher):
    taken = await asyncio.gather(*(is_taken(dispatcher, str(number)) for number in range(50)))
    assert sum(taken) == SLOTS


async def test_there_is_one_lease_of_a_session_however_many_ask_at_once(dispatcher: Dispatcher):
    await dispatcher.offer(call("1"))
    leases = [dispatcher.lease("1") for _ in range(20)]
    answers = await asyncio.gather(*leases, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, LeaseError)]
    assert len(errors) == 19
    assert all(str(error).endswith(".") for error in errors)


async def test_an_unknown_session_has_no_lease(dispatcher: Dispatcher):
    with pytest.raises(LeaseError):
        await dispatcher.lease("never offered")


@pytest.mark.parametrize("has_begun", [False, True])
async def test_what_is_released_is_free_and_releasing_twice_frees_one_slot(
    dispatcher: Dispatcher, has_begun: bool
):
    for name in "12":
        await dispatcher.offer(call(name))
        if has_begun:
            await dispatcher.lease(name)
    for _ in range(2):
        await dispatcher.release("1")
    assert await is_taken(dispatcher, "3")
    assert not await is_taken(dispatcher, "4")
    with pytest.raises(LeaseError):
        await dispatcher.lease("1")


async def test_releasing_what_was_never_there_changes_nothing(dispatcher: Dispatcher):
    await dispatcher.release("never offered")
    assert await is_taken(dispatcher, "1")
    assert await is_taken(dispatcher, "2")
    assert not await is_taken(dispatcher, "3")


async def test_what_never_began_is_free_again_and_what_runs_stays(
    dispatcher: Dispatcher, monkeypatch
):
    for name in "12":
        await dispatcher.offer(call(name))
    await dispatcher.lease("2")
    loop = asyncio.get_running_loop()
    later_s = loop.time() + RESERVED_S + 1
    monkeypatch.setattr(loop, "time", lambda: later_s)
    assert await is_taken(dispatcher, "3")
    assert not await is_taken(dispatcher, "4")
    with pytest.raises(LeaseError):
        await dispatcher.lease("1")


async def test_limits_hold_and_say_which(make):
    dispatcher = await make(Limits(per_client=1))
    await dispatcher.register(Machine())
    await dispatcher.offer(call("1", client="a"))
    with pytest.raises(Refusal) as caught:
        await dispatcher.offer(call("2", client="a"))
    assert caught.value.why is Why.CLIENT
    await dispatcher.offer(call("2", client="b"))
