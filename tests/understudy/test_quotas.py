"""What one key may have at a time, and what it is told when that is too much."""

import asyncio
import json
from http import HTTPStatus

import pytest
from google.genai import errors, types
from websockets.exceptions import InvalidStatus

from tests.understudy.support import Client
from tests.understudy.test_conformance import CONFIG, MODEL, client, session, wait_for_event
from understudy import Understudy
from understudy.errors import ProtocolError
from understudy.quotas import Quotas
from understudy.reception import Reception
from understudy.tokens import TokenStore

EXCEEDED = (
    1011,
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: h",
)


def refusal(account, now_s: float) -> tuple[int, str]:
    with pytest.raises(ProtocolError) as caught:
        account.open(now_s)
    return caught.value.code, caught.value.reason


# Sessions


def test_so_many_sessions_of_a_key_may_be_open():
    quotas = Quotas(max_sessions=2)
    first, second = quotas.account("k"), quotas.account("k")
    first.open(0)
    second.open(0)
    assert refusal(quotas.account("k"), 0) == EXCEEDED
    quotas.account("another").open(0)
    first.close()
    first.close()
    quotas.account("k").open(0)
    assert refusal(quotas.account("k"), 0) == EXCEEDED


def test_a_refused_session_frees_nothing():
    quotas = Quotas(max_sessions=1)
    quotas.account("k").open(0)
    refused = quotas.account("k")
    assert refusal(refused, 0) == EXCEEDED
    refused.close()
    assert refusal(quotas.account("k"), 0) == EXCEEDED


# Tokens


def test_a_minute_may_cost_so_many_tokens():
    quotas = Quotas(tokens_per_minute=100)
    account = quotas.account("k")
    account.open(0)
    account.spend(60, 0)
    account.check(0)
    account.spend(40, 30)
    with pytest.raises(ProtocolError):
        account.check(59)
    assert refusal(quotas.account("k"), 59) == EXCEEDED
    quotas.account("another").open(59)
    account.check(60)
    quotas.account("k").open(60)


def test_the_minute_is_scaled():
    account = Quotas(tokens_per_minute=1, minute_s=0.5).account("k")
    account.spend(1, 10)
    with pytest.raises(ProtocolError):
        account.check(10.4)
    account.check(10.5)


def test_keys_that_are_gone_are_forgotten():
    quotas = Quotas(max_sessions=1, tokens_per_minute=1)
    for number in range(100):
        account = quotas.account(f"key-{number}")
        account.open(number * 61)
        account.spend(5, number * 61)
        account.close()
    assert len(quotas._spent) == 1
    assert not quotas._open


# In a session


def test_a_session_over_the_limit_is_refused_after_its_setup_and_the_end_of_another_frees_it():
    quotas = Quotas(max_sessions=1)
    first = Client(account=quotas.account("k")).set_up()
    assert Client(account=quotas.account("k")).set_up().closed == EXCEEDED
    first._session.end()
    assert Client(account=quotas.account("k")).set_up().closed is None


def test_a_setup_that_is_refused_for_something_else_leaves_no_session():
    quotas = Quotas(max_sessions=1)
    stranger = Client(account=quotas.account("k"))
    assert stranger.set_up(sessionResumption={"handle": "unknown"}).closed
    assert Client(account=quotas.account("k")).set_up().closed is None


def test_the_turn_after_too_many_tokens_is_refused_and_one_a_minute_later_is_not():
    patient, hasty = (
        Client(account=Quotas(tokens_per_minute=20).account("k")).set_up() for _ in range(2)
    )
    for talker, pause_s in ((patient, 61), (hasty, 1)):
        talker.type("Good morning")
        talker.wait(10)
        assert talker.messages("usageMetadata")[0]["totalTokenCount"] > 20
        talker.wait(pause_s)
        talker.type("And now?")
    assert patient.closed is None
    assert hasty.closed == EXCEEDED


def test_a_token_counts_for_the_key_that_minted_it():
    store = TokenStore(new_hex=lambda: "abc")
    reception = Reception(None, store)
    status, body = reception.post("/v1alpha/auth_tokens", {"x-goog-api-key": "k"}, b"{}")
    assert status == HTTPStatus.OK
    assert store.owner(json.loads(body)["name"]) == "k"
    assert store.owner("auth_tokens/unknown") == "auth_tokens/unknown"


# As the client sees it

GREETING = types.Content(role="user", parts=[types.Part(text="Good morning")])


async def end_of(understudy: Understudy, name: str) -> None:
    async with asyncio.timeout(5):
        while (name, "closed") not in [(r["session"], r["event"]) for r in understudy.records]:
            await asyncio.sleep(0.01)


async def test_the_client_sees_the_code_and_the_reason_of_one_session_too_many():
    async with Understudy(max_sessions_per_key=1) as understudy:
        async with session(understudy):
            with pytest.raises(errors.APIError) as caught:
                async with session(understudy):
                    raise AssertionError("connected")
            assert (caught.value.code, str(caught.value)) == (1011, f"1011 None. {EXCEEDED[1]}")
            async with client(understudy, "another").aio.live.connect(model=MODEL, config=CONFIG):
                pass
        await end_of(understudy, "s1")
        async with session(understudy):
            pass


async def test_the_client_sees_the_code_and_the_reason_of_one_turn_too_many():
    async with Understudy(tokens_per_minute_per_key=1) as understudy:
        with pytest.raises(errors.APIError) as caught:
            async with session(understudy) as live:
                await live.send_client_content(turns=GREETING)
                await wait_for_event(understudy, "answer")
                await live.send_realtime_input(text="and this")
                async for _ in live.receive():
                    pass
                async for _ in live.receive():
                    pass
    assert str(caught.value) == f"1011 None. {EXCEEDED[1]}"


async def test_the_client_sees_http_429_where_the_upgrade_is_refused():
    async with Understudy(max_sessions_per_key=1, quota_at_upgrade=True) as understudy:
        async with session(understudy):
            with pytest.raises(InvalidStatus) as caught:
                async with session(understudy):
                    raise AssertionError("connected")
    response = caught.value.response
    assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert response.body == b"Resource has been exhausted (e.g. check quota).\n"
