"""Calls of a Twilio number and of a SIP trunk, forwarded to a room at the stand-in for Daily."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.streams.support import Reachable, reachable_server
from understudy.daily import DailyStandIn, Phone

CALL = {"from": "+15559990000", "to": "+15550001111", "callId": "trunk-1"}


@dataclass(frozen=True)
class Site:
    """A server that makes rooms at the stand-in for Daily."""

    reachable: Reachable
    daily: DailyStandIn


@pytest.fixture
async def site(tmp_path) -> AsyncIterator[Site]:
    async with DailyStandIn(api_key="a-key-of-daily") as daily:
        variables = {"DAILY_API_KEY": daily.api_key, "DAILY_API_URL": daily.url}
        entering = reachable_server(tmp_path, **variables)
        reachable = await asyncio.to_thread(entering.__enter__)
        try:
            yield Site(reachable, daily)
        finally:
            await asyncio.to_thread(entering.__exit__, None, None, None)


async def test_a_twilio_call_is_forwarded_and_talks(site):
    async with site.reachable.phone("twilio") as phone:
        call = await phone.dial(path="/phone/twilio-sip")
        await call.until(lambda: call.state == "transferred", within_s=5)
        assert call.transferred_to and call.transferred_to.startswith("sip:")
        leg = await Phone(site.daily.url).dial_sip(call.transferred_to, caller=phone.number)
        await leg.until(lambda: leg.heard, within_s=10)
        again = await phone.announce("/phone/twilio-sip", phone.form(call.call_id))
        assert call.transferred_to.encode() in again and len(site.daily.rooms) == 1
        await leg.hang_up()
        await call.until(lambda: not site.daily.rooms, within_s=15)


async def test_a_trunk_is_told_where_to_forward_a_call(site):
    async with httpx.AsyncClient(base_url=site.reachable.server.url, timeout=20) as http:
        told = (await http.post("/phone/sip", json=CALL)).json()
        again = (await http.post("/phone/sip", json=CALL)).json()
        assert told["sipUri"].startswith("sip:") and again == told
        await http.delete(f"/sessions/{told['sessionId']}")
        async with asyncio.timeout(15):
            while site.daily.rooms:
                await asyncio.sleep(0.05)


async def test_a_call_for_which_daily_has_no_room_hears_so(site):
    site.daily.fail("POST /rooms", status=400, times=9)
    async with site.reachable.phone("twilio") as phone:
        call = await phone.dial(path="/phone/twilio-sip")
        await call.until(lambda: call.state == "ended", within_s=5)
        assert call.told == ["I am sorry, your call can't be taken now. Please call again later."]
    assert not site.daily.rooms
