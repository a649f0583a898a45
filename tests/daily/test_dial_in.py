"""Somebody dials a number of the domain: announced, on hold, connected, hung up."""

import time

import pytest
from pydantic import SecretStr

from serving.access.webhooks import PINLESS, Webhooks
from tests.daily.support import CALLER, HMAC, NUMBER, bot, post, rest, room, sip, webhook
from tests.support.sound import level, tone
from understudy.daily import DailyStandIn, Phone

WITHIN_S = 3


async def test_a_call_is_announced_signed_held_connected_heard_and_ended(daily: DailyStandIn):
    made, token = await room(daily, **sip())
    async with (
        webhook() as server,
        bot(made.url, token) as bot_,
        await _dialled(daily, server.url) as call,
    ):
        await server.came.wait()
        assert call.state == "on hold"
        [told] = server.calls
        assert (told["From"], told["To"]) == (CALLER, NUMBER)
        [(headers, body)] = server.requests
        assert Webhooks(PINLESS, SecretStr(HMAC)).check(headers, body, time.time())

        [address] = await bot_.until("on_dialin_ready")
        assert address == made.config.sip_endpoint
        forwarded = {"callId": told["callId"], "callDomain": told["callDomain"], "sipUri": address}
        assert await post(daily, "/dialin/pinlessCallUpdate", forwarded) == (200, {"ok": "true"})
        await call.until(lambda: call.picked_up_at_s, within_s=WITHIN_S)

        [connected] = await bot_.until("on_dialin_connected")
        [caller] = await bot_.until("on_participant_joined")
        assert caller["id"] == connected["sessionId"]
        assert caller["info"]["userName"] == CALLER
        call.say(tone(0.6, 48_000))
        await call.until(lambda: len(call.heard) >= 25, within_s=WITHIN_S)
        assert level(call.heard[10][1]) > 5000

        await call.hang_up()
        [stopped] = await bot_.until("on_dialin_stopped")
        [_, reason] = await bot_.until("on_participant_left")
        assert (stopped["sessionId"], reason) == (caller["id"], "leftCall")


async def test_sip_headers_come_along(daily: DailyStandIn):
    async with webhook() as server:
        daily.own_number(NUMBER, server.url)
        async with await Phone(daily.url).dial(
            NUMBER, caller=CALLER, sip_headers={"X-From": "shop"}
        ):
            await server.came.wait()
        assert server.calls[0]["sipHeaders"] == {"X-From": "shop"}


@pytest.mark.parametrize(("statuses", "times"), [((503,), 2), ((500, 500), 2), ((403,), 1)])
async def test_an_announcement_that_failed_is_repeated_once(
    daily: DailyStandIn, statuses: tuple[int, ...], times: int
):
    async with webhook(*statuses) as server, await _dialled(daily, server.url) as call:
        await call.until(lambda: len(_webhooks(daily)) == times, within_s=WITHIN_S)
        ids = {told["callId"] for told in server.calls}
        signatures = {dict(headers)[b"x-pinless-signature"] for headers, _ in server.requests}
        assert (len(server.calls), len(ids), len(signatures)) == (times, 1, times)
        assert call.state == "on hold"


async def test_nobody_who_picks_up_is_told_and_the_call_ends():
    async with DailyStandIn(hold_s=0.05) as daily, webhook() as server:
        daily.own_number(NUMBER, server.url, message="Nobody is here.")
        async with await Phone(daily.url).dial(NUMBER, caller=CALLER) as call:
            await call.until(lambda: call.state == "ended", within_s=WITHIN_S)
            assert (call.told, call.why) == (["Nobody is here."], "nobody picked up")


async def test_a_caller_can_only_be_forwarded_to_a_room_that_is_ready(daily: DailyStandIn):
    made, _ = await room(daily, **sip())
    async with webhook() as server, await _dialled(daily, server.url) as call:
        await server.came.wait()
        told = server.calls[0]
        forward = {
            "callId": told["callId"],
            "callDomain": told["callDomain"],
            "sipUri": made.config.sip_endpoint,
        }
        status, error = await post(daily, "/dialin/pinlessCallUpdate", forward)
        assert status == 400 and "not ready" in error["info"]
        status, error = await post(
            daily, "/dialin/pinlessCallUpdate", {**forward, "callId": "another"}
        )
        assert (status, error["error"]) == (400, "invalid-request-error")
        assert call.state == "on hold"


async def test_a_trunk_calls_a_rooms_sip_address(daily: DailyStandIn):
    made, token = await room(daily, **sip())
    phone = Phone(daily.url)
    async with await phone.dial_sip(made.config.sip_endpoint, caller=CALLER) as early:
        await early.until(lambda: early.state == "ended", within_s=WITHIN_S)
        assert "not ready" in early.why
    async with bot(made.url, token) as bot_:
        await bot_.until("on_dialin_ready")
        async with await phone.dial_sip(made.config.sip_endpoint, caller=CALLER) as call:
            await call.until(lambda: call.state == "connected", within_s=WITHIN_S)


async def test_deleting_the_room_hangs_up_and_ejects(daily: DailyStandIn):
    made, token = await room(daily, **sip())
    async with bot(made.url, token) as bot_:
        await bot_.until("on_dialin_ready")
        async with await Phone(daily.url).dial_sip(made.config.sip_endpoint, caller=CALLER) as call:
            await call.until(lambda: call.state == "connected", within_s=WITHIN_S)
            async with rest(daily) as helper:
                await helper.delete_room_by_name(made.name)
            await call.until(lambda: call.state == "ended", within_s=WITHIN_S)
            await bot_.until("on_error")
            assert bot_.told("on_call_state_updated")[-1] == ("left",)
    assert daily.rooms == {}


async def _dialled(daily: DailyStandIn, webhook_url: str):
    daily.own_number(NUMBER, webhook_url)
    return await Phone(daily.url).dial(NUMBER, caller=CALLER)


def _webhooks(daily: DailyStandIn) -> list[dict]:
    return [record for record in daily.records if record["event"] == "webhook"]
