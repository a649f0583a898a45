"""Rooms at the stand-in for Daily: made whole or not at all, and gone when they should be."""

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from loguru import logger

from pipeline.asking_again import Passing
from serving import rooms as module
from serving.refused import Refused
from serving.room_address import room_address
from serving.rooms import NO_ROOM, Rooms, room_lifetime_s
from tests.access.support import settings
from understudy.daily import DailyStandIn
from understudy.daily.rooms import read_token

KEY = "a-planted-daily-key"


@pytest.fixture
async def daily() -> AsyncIterator[DailyStandIn]:
    async with DailyStandIn(api_key=KEY) as daily:
        yield daily


@pytest.fixture
async def rooms(daily: DailyStandIn) -> AsyncIterator[Rooms]:
    rooms = Rooms(settings(DAILY_API_KEY=KEY, DAILY_API_URL=daily.url))
    yield rooms
    await rooms.aclose()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other as always, only faster."""
    monkeypatch.setattr(module, "TRY_S", 0.15)
    monkeypatch.setattr(module, "ALL_S", 0.6)
    monkeypatch.setattr(module, "UNSURE_S", 0.5)
    monkeypatch.setattr(module, "_backoff", module.wait_random_exponential(0.02, max=0.1))


@pytest.fixture(autouse=True)
def no_key_is_logged() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(lambda message: lines.append(str(message)), level="TRACE", backtrace=True)
    yield lines
    logger.remove(number)
    assert KEY not in "".join(lines)


def asked(daily: DailyStandIn, what: str) -> list[dict]:
    return [one for one in daily.records if one.get("request", "").startswith(what)]


async def test_a_room_and_its_tokens_end_together_and_only_the_bot_owns_it(daily, rooms):
    room = await rooms.create(lifetime_s=600)
    (made,) = daily.rooms.values()
    config = made.record.config
    assert room.url == made.record.url and room.is_ours
    assert config["exp"] == pytest.approx(time.time() + 600, abs=2) and config["eject_at_room_exp"]
    bot, guest = (read_token(token, key=KEY) for token in (room.token, room.guest_token))
    assert bot["o"] and not guest.get("o")
    assert bot["exp"] == guest["exp"] == config["exp"]
    assert bot["r"] == guest["r"] == room.name
    assert room.sip_uri is None and "sip" not in config


async def test_a_room_for_a_call_has_a_sip_address_and_no_guest(daily, rooms):
    room = await rooms.create(lifetime_s=600, sip_name="+15550101")
    (made,) = daily.rooms.values()
    assert made.record.config["sip"]["display_name"] == "+15550101"
    assert room.sip_uri == f"sip:{made.record.sip_uri}" and room.guest_token is None
    assert "enable_dialout" not in made.record.config


@pytest.mark.parametrize(("targets", "endpoints"), [(None, 1), ("desk=+15551234567", 2)])
async def test_a_call_that_may_be_transferred_has_a_second_endpoint(daily, targets, endpoints):
    rooms = Rooms(settings(DAILY_API_KEY=KEY, DAILY_API_URL=daily.url, SALON_TRANSFER_TO=targets))
    await rooms.create(lifetime_s=600, sip_name="+15550101")
    (made,) = daily.rooms.values()
    assert made.record.config["sip"]["num_endpoints"] == endpoints
    await rooms.aclose()


async def test_a_room_that_calls_may(daily, rooms):
    await rooms.create(lifetime_s=600, dials_out=True)
    (made,) = daily.rooms.values()
    assert made.record.config["enable_dialout"] is True


@pytest.mark.parametrize("what", ["POST /rooms", "POST /meeting-tokens"])
@pytest.mark.parametrize(
    "how",
    [
        {"status": 500, "times": 2},
        {"status": 429, "times": 2},
        {"is_cut": True},
        {"delay_s": 0.3},
        {"status": 502, "is_done": True},
        {"is_cut": True, "is_done": True},
    ],
    ids=str,
)
async def test_what_passes_is_tried_again_and_leaves_one_room(daily, rooms, what, how):
    daily.fail(what, **how)
    room = await rooms.create(lifetime_s=600)
    await rooms.aclose()
    assert list(daily.rooms) == [room.name]


@pytest.mark.parametrize("what", ["POST /rooms", "POST /meeting-tokens"])
@pytest.mark.parametrize(
    "how",
    [
        {"status": 400},
        {"status": 401},
        {"status": 500, "times": None},
        {"status": 429, "times": None},
        {"status": 500, "times": None, "is_done": True},
        {"delay_s": 0.3, "times": None},
        {"is_cut": True, "times": None},
    ],
    ids=str,
)
async def test_without_all_of_it_there_is_no_room_and_one_sentence(daily, rooms, what, how):
    daily.fail(what, **how)
    began_s = time.monotonic()
    with pytest.raises(Refused) as refused:
        await rooms.create(lifetime_s=600)
    assert (refused.value.status, str(refused.value)) == (502, NO_ROOM)
    assert time.monotonic() - began_s < module.ALL_S + 0.5
    await rooms.aclose()
    assert daily.rooms == {}


async def test_the_second_token_failing_is_no_better(daily, rooms):
    daily.fail("POST /meeting-tokens", status=400, skip=1)
    with pytest.raises(Refused):
        await rooms.create(lifetime_s=600)
    await rooms.aclose()
    assert daily.rooms == {}


async def test_as_long_as_daily_asks_for_is_waited():
    assert Passing("Daily answered 429", retry_after="3").after_s == 3.0
    for odd in (None, "", "Wed, 21 Oct 2026 07:28:00 GMT", "٣", "-1", "9" * 9):
        assert Passing("Daily answered 429", retry_after=odd).after_s == 0.0


async def test_a_room_is_deleted_though_daily_hesitates(daily, rooms):
    room = await rooms.create(lifetime_s=600)
    daily.fail("DELETE /rooms", status=429, times=2)
    assert await rooms.delete(room.name)
    assert daily.rooms == {}


async def test_a_room_that_is_gone_counts_as_deleted(daily, rooms):
    assert await rooms.delete("nobody-knows-it")


async def test_that_a_room_can_not_be_deleted_is_told_and_raises_nothing(daily, rooms):
    room = await rooms.create(lifetime_s=600)
    daily.fail("DELETE /rooms", status=500, times=None)
    assert not await rooms.delete(room.name)
    assert list(daily.rooms) == [room.name]


async def test_an_own_room_that_is_there_is_entered_as_its_owner(daily, rooms):
    url = (await rooms.create(lifetime_s=600)).url
    room = await rooms.enter(url, lifetime_s=60)
    assert room.url == url and not room.is_ours
    assert read_token(room.token, key=KEY)["o"]
    assert not read_token(room.guest_token, key=KEY).get("o")


async def test_somebody_elses_room_is_entered_without_a_token(daily, rooms):
    for url in ("https://else.daily.co/theirs", f"{daily.domain.site}/not-there"):
        room = await rooms.enter(url)
        assert (room.url, room.token, room.guest_token) == (url, None, None)
    assert asked(daily, "POST /meeting-tokens") == []


async def test_without_a_key_daily_is_not_asked(daily):
    rooms = Rooms(settings(DAILY_API_URL=daily.url))
    room = await rooms.enter("https://else.daily.co/theirs?t=their-token")
    assert (room.url, room.token) == ("https://else.daily.co/theirs", "their-token")
    assert daily.records == []
    await rooms.aclose()


def test_a_room_outlives_its_session_and_no_session_outlives_hours():
    assert room_lifetime_s(settings(SALON_MAX_SESSION_S="600")) == 720
    assert room_lifetime_s(settings()) == 4 * 3600 + 120
    assert room_lifetime_s(settings(SALON_MAX_CALL_S="60"), is_phone=True) == 180


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://you.daily.co/salon", "https://you.daily.co/salon"),
        (" https://you.daily.co/salon/ \n", "https://you.daily.co/salon"),
        ("https://you.daily.co/salon?t=abc", "https://you.daily.co/salon?t=abc"),
        ("https://you.daily.co/salon?other=1", "https://you.daily.co/salon"),
        ("http://127.0.0.1:8000/salon", "http://127.0.0.1:8000/salon"),
    ],
)
def test_the_address_of_a_room_is_read_as_people_copy_it(text, address):
    assert room_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "salon",
        "https://you.daily.co",
        "https://you.daily.co/",
        "http://you.daily.co/salon",
        "https://you.daily.co/a/b",
        "https://you.daily.co/a b",
        "https://[::1/x",
        "ftp://you.daily.co/salon",
        "https://me@you.daily.co/salon",
    ],
)
def test_what_is_no_rooms_address_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="is not the address of a Daily room; for example") as told:
        room_address(f"{text}?t=secret-token")
    assert "secret" not in str(told.value) and re.search(r"\.$", str(told.value))
