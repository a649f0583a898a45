"""Callers for whom there is no line: each hears so in a room of its own, a few at a time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving.phone import busy_lines as module
from tests.support.phone_site import Site, a_call, phone_site, until


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with phone_site(tmp_path, slots=1, SALON_BUSY_LINES="2") as site:
        yield site


async def call(site: Site, *numbers: int) -> list[str]:
    answers = await asyncio.gather(*(site.announce(a_call(number)) for number in numbers))
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["status"] for answer in answers]


async def test_who_finds_no_slot_hears_that_all_lines_are_busy(site: Site):
    assert await call(site, 1) == ["taken"]
    assert await call(site, 2) == ["busy"]
    await until(lambda: site.told)
    (told,) = site.told
    assert told["announce"] == "BUSY" and told["phone"]["call_id"] == "call-2"
    assert told["room"]["url"].rpartition("/")[2] not in site.begun[0]["room"]["url"]
    await until(lambda: len(site.daily.rooms) == 1)
    assert site.admission.running == 1


async def test_fifty_calls_at_once_find_four_slots_and_the_others_are_told(tmp_path: Path):
    async with phone_site(tmp_path, slots=4) as site:
        told = await call(site, *range(1, 51))
        assert (told.count("taken"), told.count("busy")) == (4, 46)
        await until(lambda: len(site.told) == 46)
        assert len({one["phone"]["call_id"] for one in site.told + site.begun}) == 50
        await until(lambda: len(site.daily.rooms) == 4)


async def test_no_more_than_so_many_are_told_at_a_time_and_in_the_order_they_came(site: Site):
    site.may_end.clear()
    await call(site, 1)
    for number in (2, 3, 4, 5):
        await call(site, number)
    await until(lambda: len(site.told) == 2)
    assert len(site.daily.rooms) == 3
    site.may_end.set()
    await until(lambda: len(site.told) == 4)
    ids = [one["phone"]["call_id"] for one in site.told]
    assert sorted(ids[:2]) == ["call-2", "call-3"] and sorted(ids[2:]) == ["call-4", "call-5"]


async def test_who_has_waited_too_long_is_left_to_daily(site: Site, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 0.1)
    site.may_end.clear()
    await call(site, 1, 2, 3, 4)
    await until(lambda: len(site.busy_lines._telling) == 2)
    site.may_end.set()
    await until(lambda: not site.busy_lines._telling)
    assert len(site.told) == 2


async def test_what_takes_too_long_frees_its_line(site: Site, monkeypatch):
    monkeypatch.setattr(module, "TELL_S", 0.5)
    site.may_end.clear()
    await call(site, 1, 2, 3)
    await until(lambda: not site.busy_lines._telling)
    assert site.busy_lines._free._value == 2
    await until(lambda: len(site.daily.rooms) == 1)


async def test_without_such_lines_nobody_is_told(tmp_path: Path):
    async with phone_site(tmp_path, slots=0, SALON_BUSY_LINES="0") as site:
        assert await call(site, 1) == ["busy"]
        assert not site.busy_lines._telling and site.daily.records == []


async def test_more_than_can_wait_are_left_to_daily(site: Site, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    site.may_end.clear()
    await call(site, *range(1, 10))
    assert len(site.busy_lines._telling) == 3
    site.may_end.set()


async def test_that_somebody_can_not_be_told_harms_nobody(site: Site):
    await call(site, 1)
    site.daily.fail("POST /rooms", status=400)
    await call(site, 2)
    await until(lambda: not site.busy_lines._telling)
    assert site.told == []
    await call(site, 3)
    await until(lambda: len(site.told) == 1)


async def test_who_waits_when_the_server_closes_is_left_to_daily(site: Site):
    site.may_end.clear()
    await call(site, 1, 2, 3, 4)
    await until(lambda: len(site.told) == 2)
    await site.busy_lines.aclose()
    assert not site.busy_lines._telling
    await until(lambda: len(site.daily.rooms) == 1)


async def test_a_server_that_closes_says_so_too(site: Site):
    site.admission.is_draining = True
    assert await call(site, 1) == ["busy"]
    await until(lambda: site.told)


async def test_a_persona_that_is_not_there_is_said_to_be_broken(tmp_path: Path):
    async with phone_site(tmp_path, SALON_PHONE_PERSONAS="+15550100=nobody-there") as site:
        assert await call(site, 1) == ["busy"]
        await until(lambda: site.told)
        assert site.told[0]["announce"] == "BROKEN"
