"""Whose room is whose, in the run folder: none is left behind, and none is taken from who has it."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving import rooms as module
from serving.refused import Refused
from serving.rooms import Rooms
from serving.session_rooms import AGAIN_S, SessionRooms
from tests.access.support import settings
from tests.support.phone_site import until
from understudy.daily import DailyStandIn


@pytest.fixture
async def daily() -> AsyncIterator[DailyStandIn]:
    async with DailyStandIn() as daily:
        yield daily


@pytest.fixture
async def rooms(daily: DailyStandIn, tmp_path: Path) -> AsyncIterator[SessionRooms]:
    own = settings(DAILY_API_KEY=daily.api_key, DAILY_API_URL=daily.url)
    rooms = SessionRooms(Rooms(own), tmp_path)
    yield rooms
    await rooms.aclose()


def grow_old(path: Path) -> None:
    long_ago_s = time.time() - AGAIN_S - 1
    os.utime(path, (long_ago_s, long_ago_s))


async def test_a_room_is_written_down_until_it_is_deleted(daily, rooms, tmp_path):
    await rooms.make("a", lifetime_s=600)
    assert [path.name for path in tmp_path.iterdir()] == ["a.room"]
    rooms.leave("a")
    rooms.leave("a")
    await until(lambda: not any(tmp_path.iterdir()))
    assert daily.rooms == {}
    deletions = [one for one in daily.records if one.get("request", "").startswith("DELETE")]
    assert len(deletions) == 1


async def test_what_could_not_be_deleted_is_tried_again_later(daily, rooms, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ALL_S", 0.2)
    await rooms.make("a", lifetime_s=600)
    daily.fail("DELETE /rooms", status=500, times=None)
    rooms.leave("a")
    await until(lambda: not rooms._leaving)
    assert (tmp_path / "a.room").exists() and len(daily.rooms) == 1
    daily.domain.failures.clear()
    rooms.leave_late(lambda session: False)
    assert not rooms._leaving
    grow_old(tmp_path / "a.room")
    rooms.leave_late(lambda session: False)
    await until(lambda: not any(tmp_path.iterdir()))
    assert daily.rooms == {}


async def test_the_room_of_a_session_that_is_known_stays(daily, rooms, tmp_path):
    await rooms.make("a", lifetime_s=600)
    grow_old(tmp_path / "a.room")
    rooms.leave_late(lambda session: session == "a")
    assert not rooms._leaving and len(daily.rooms) == 1
    rooms.leave("a")


async def test_what_daily_has_ended_itself_is_forgotten(daily, rooms, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ALL_S", 0.2)
    daily.fail("DELETE /rooms", status=500, times=None)
    (tmp_path / "a.room").write_text('{"name": "x", "expires_s": 1}')
    (tmp_path / "b.room").write_text('{"na')
    for name in "ab":
        rooms.leave(name)
    await until(lambda: not any(tmp_path.iterdir()))


async def test_a_room_that_can_not_be_written_down_is_deleted(daily, rooms, tmp_path):
    (tmp_path / "a.room").mkdir()
    with pytest.raises(Refused) as refused:
        await rooms.make("a", lifetime_s=600)
    assert refused.value.status == 503
    await until(lambda: not daily.rooms)


async def test_who_closes_waits_for_what_is_being_deleted(daily, rooms):
    await rooms.make("a", lifetime_s=600)
    daily.fail("DELETE /rooms", delay_s=0.3)
    rooms.leave("a")
    await rooms.aclose()
    assert daily.rooms == {}
