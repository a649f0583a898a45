"""The REST API, asked by Pipecat's own unchanged client where it has a function for it."""

import time
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipecat.runner.daily import configure
from pipecat.transports.daily.utils import DailyRoomParams, DailyRoomProperties

from tests.daily.support import HMAC, KEY, NUMBER, post, rest, room, sip, webhook
from understudy.daily import DailyStandIn, Guest
from understudy.daily.faults import DOCUMENTED, Failure, Failures, Limits, Rates


async def test_a_room_is_made_found_and_deleted(daily: DailyStandIn):
    async with rest(daily) as helper:
        made = await helper.create_room(DailyRoomParams(name="salon"))
        found = await helper.get_room_from_url(made.url)
        assert (found.id, found.name, found.privacy) == (made.id, "salon", "public")
        assert list(daily.rooms) == ["salon"]
        assert await helper.delete_room_by_url(made.url)
        assert await helper.delete_room_by_url(made.url), "404 is as good, to Pipecat"
        with pytest.raises(Exception, match="Room not found"):
            await helper.get_room_from_url(made.url)


async def test_pipecats_runner_is_content(daily: DailyStandIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAILY_API_KEY", daily.api_key)
    monkeypatch.setenv("DAILY_API_URL", daily.url)
    monkeypatch.delenv("DAILY_ROOM_URL", raising=False)
    async with aiohttp.ClientSession() as session:
        config = await configure(session, sip_caller_phone="+15559999")
    [made] = daily.rooms.values()
    assert config.room_url == made.record.url
    assert config.sip_endpoint == f"sip:{made.record.sip_uri}"
    async with await Guest.join(config.room_url, config.token) as guest:
        assert guest.is_in


async def test_a_token_says_who_may_what_where(daily: DailyStandIn):
    made, token = await room(daily)
    status, told = await _ask(daily, "GET", f"/meeting-tokens/{token}")
    assert (status, told["room_name"], told["is_owner"]) == (200, made.name, True)
    assert told["exp"] > time.time()
    private, _ = await room(daily)
    assert (await post(daily, f"/rooms/{private.name}", {"privacy": "private"}))[0] == 200
    with pytest.raises(Exception, match="not allowed"):
        await Guest.join(private.url)


@pytest.mark.parametrize(
    ("body", "info"),
    [
        ({"name": "a room"}, "can only contain"),
        ({"name": "taken"}, "already exists"),
        ({"privacy": "secret"}, "privacy"),
        ({"properties": {"exp": 1}}, "in the past"),
        ({"properties": []}, "object"),
        ({"properties": {"sip": {"sip_mode": "dial-up"}}}, "dial-in"),
    ],
)
async def test_what_is_no_room_is_refused(daily: DailyStandIn, body: Any, info: str):
    assert (await post(daily, "/rooms", {"name": "taken"}))[0] == 200
    if body == {"properties": []}:
        body = {"properties": [1]}
    status, error = await post(daily, "/rooms", body)
    assert (status, error["error"]) == (400, "invalid-request-error")
    assert info in error["info"]


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 400, "authorization-header-error"),
        ({"Authorization": "Bearer another"}, 401, "authentication-error"),
    ],
)
async def test_who_has_no_key_is_refused(
    daily: DailyStandIn, headers: dict[str, str], status: int, kind: str
):
    answer = await _ask(daily, "GET", "/rooms", headers=headers)
    assert (answer[0], answer[1]["error"]) == (status, kind)


async def test_what_there_is_not_is_not_found(daily: DailyStandIn):
    for path in ("/rooms/nobody", "/rooms/nobody/presence", "/recordings", "/presence/x/y"):
        status, error = await _ask(daily, "GET", path)
        assert (status, error["error"]) == (404, "not-found")


async def test_who_is_there_is_shown(daily: DailyStandIn):
    made, _ = await room(daily)
    await room(daily)
    async with await Guest.join(made.url, name="Ana") as guest:
        _, shown = await _ask(daily, "GET", f"/rooms/{made.name}/presence")
        assert [person["userName"] for person in shown["data"]] == ["Ana"]
        _, everywhere = await _ask(daily, "GET", "/presence")
        assert [person["id"] for person in everywhere[made.name]] == [guest.id]
        assert len(everywhere) == 1
        _, listed = await _ask(daily, "GET", "/rooms?limit=1")
        assert (listed["total_count"], len(listed["data"])) == (2, 1)


async def test_a_number_is_set_up_tried_changed_and_given_back(daily: DailyStandIn):
    async with webhook() as server, webhook(500) as broken:
        wanted = {"phone_number": NUMBER, "room_creation_api": server.url}
        status, config = await post(daily, "/domain-dialin-config", wanted)
        assert (status, config["type"], config["config"]["hmac"]) == (200, "pinless_dialin", HMAC)
        assert server.calls == [{"test": "test"}]
        status, error = await post(daily, "/domain-dialin-config", wanted)
        assert (status, "already in use" in error["info"]) == (400, True)
        path = f"/domain-dialin-config/{config['id']}"
        status, error = await _ask(daily, "PUT", path, {"room_creation_api": broken.url})
        assert (status, "did not answer 200" in error["info"]) == (400, True)
        told = {"timeout_config": {"message": "Later."}}
        status, config = await _ask(daily, "PUT", path, told)
        assert config["config"]["timeout_config"] == {"message": "Later."}
        assert (await _ask(daily, "GET", path))[1] == config
        assert (await _ask(daily, "DELETE", path))[0] == 200
        assert (await _ask(daily, "GET", "/domain-dialin-config"))[1]["data"] == []


async def test_failures_come_as_they_are_ordered(daily: DailyStandIn):
    daily.fail("POST /rooms", status=500, times=2)
    daily.fail("DELETE /rooms", status=429, skip=1)
    statuses = [(await post(daily, "/rooms", {"name": name}))[0] for name in "abcd"]
    assert statuses == [500, 500, 200, 200]
    assert [(await _ask(daily, "DELETE", f"/rooms/{name}"))[0] for name in "cdd"] == [200, 429, 200]


async def test_an_answer_may_come_late_be_lost_or_be_a_lie(daily: DailyStandIn):
    daily.fail("POST /rooms", delay_s=0.2)
    began_s = time.monotonic()
    assert (await post(daily, "/rooms", {}))[0] == 200
    assert time.monotonic() - began_s >= 0.2
    daily.fail("POST /rooms", is_cut=True)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(daily, "/rooms", {"name": "cut"})
    daily.fail("POST /rooms", status=500, is_done=True)
    assert (await post(daily, "/rooms", {"name": "done"}))[0] == 500
    assert "done" in daily.rooms and "cut" not in daily.rooms


async def test_too_many_requests_are_refused():
    limits = Limits(requests_per_s=100, deletions_per_30s=2)
    async with DailyStandIn(api_key=KEY, limits=limits) as daily:
        statuses = [(await _ask(daily, "DELETE", "/rooms/nobody"))[0] for _ in range(3)]
        assert statuses == [404, 404, 429]


async def test_no_key_and_no_token_is_recorded(daily: DailyStandIn):
    _, token = await room(daily, **sip())
    await _ask(daily, "GET", f"/meeting-tokens/{token}")
    assert daily.records
    for secret in (KEY, token, HMAC):
        assert secret not in str(daily.records)


@given(gaps_s=st.lists(st.floats(0, 0.2), max_size=200))
def test_never_more_than_the_documented_requests_a_second(gaps_s: list[float]):
    rates, now_s, taken = Rates(DOCUMENTED), 0.0, []
    for gap_s in gaps_s:
        now_s += gap_s
        if rates.allows("GET /rooms", now_s):
            taken.append(now_s)
    for at, first_s in enumerate(taken):
        assert sum(first_s <= later_s < first_s + 1 for later_s in taken[at:]) <= 20


def test_a_failure_concerns_what_is_below_it_and_nothing_beside():
    failures = Failures()
    failures.order(Failure(what="DELETE /rooms", status=500, times=None))
    assert failures.take("DELETE /rooms/salon")
    assert not failures.take("DELETE /rooms-of-mine")
    assert not failures.take("GET /rooms/salon")
    failures.clear()
    assert not failures.take("DELETE /rooms/salon")


async def test_a_room_with_an_end_is_gone_at_its_end(daily: DailyStandIn):
    async with rest(daily) as helper:
        properties = DailyRoomProperties(exp=time.time() + 0.3)
        await helper.create_room(DailyRoomParams(name="short", properties=properties))
        assert list(daily.rooms) == ["short"]
        deadline_s = time.monotonic() + 2
        while daily.rooms and time.monotonic() < deadline_s:
            assert (await _ask(daily, "GET", "/rooms"))[0] == 200
        assert daily.rooms == {}


async def _ask(
    daily: DailyStandIn,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    if headers is None:
        headers = {"Authorization": f"Bearer {daily.api_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, daily.url + path, json=body) as answer,
    ):
        return answer.status, await answer.json()
