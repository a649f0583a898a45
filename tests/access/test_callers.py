from collections.abc import AsyncIterator

import pytest

from serving.access.callers import FAILURES, Caller, CallerKind, Callers
from serving.refused import Refused
from tests.access.provider_stand_in import AUDIENCE, ProviderStandIn, provider
from tests.access.support import KEY, OTHER_KEY, head, refusal, settings

KEYS = f"website:{KEY},phone:{OTHER_KEY}"
NEEDED = (401, "Starting a call needs `Authorization: Bearer` with an API key or a token.")
UNKNOWN = (401, "There is no such API key.")
ELSEWHERE = "192.0.2.7"


class Clock:
    def __init__(self):
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def callers(clock):
    return Callers(settings(SALON_API_KEYS=KEYS, SALON_KEY_STARTS_PER_MINUTE=3), now_s=clock)


async def who(
    callers: Callers, address: str | None = ELSEWHERE, **headers: str
) -> Caller | tuple[int, str]:
    try:
        return await callers.admit(head(**headers), address)
    except Refused as error:
        return refusal(error)


def with_key(name: str) -> Caller:
    return Caller(name=name, kind=CallerKind.KEY)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"x_api_key": KEY},
        {"authorization": "Basic dXNlcjpwYXNz", "x_api_key": KEY},
    ],
)
async def test_a_key_says_who_calls(callers, headers):
    caller = await who(callers, **headers)
    assert caller == with_key("website")
    assert str(caller) == "key:website"


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, NEEDED),
        ({"authorization": "Bearer"}, NEEDED),
        ({"authorization": KEY}, NEEDED),
        ({"authorization": f"Basic {KEY}"}, NEEDED),
        ({"x_api_key": ""}, NEEDED),
        ({"cookie": f"key={KEY}"}, NEEDED),
        ({"x_api_key": KEY[:-1]}, UNKNOWN),
        ({"authorization": f"Bearer {KEY[:-1]}"}, UNKNOWN),
        ({"authorization": f"Bearer {KEY[:-1]}", "x_api_key": KEY}, UNKNOWN),
        ({"authorization": "Bearer a.b.c"}, UNKNOWN),
    ],
)
async def test_without_a_key_nobody_calls(callers, headers, answer):
    assert await who(callers, **headers) == answer


async def test_two_keys_in_one_request_are_none(callers):
    with pytest.raises(Refused) as error:
        await callers.admit(head(x_api_key=KEY) * 2, ELSEWHERE)
    assert refusal(error.value) == (400, "There may be one X-Api-Key header.")


async def test_who_is_refused_is_told_how_to_ask(callers):
    with pytest.raises(Refused) as error:
        await callers.admit([], ELSEWHERE)
    assert error.value.headers == {"WWW-Authenticate": "Bearer"}


async def test_a_key_may_start_so_many_calls_wherever_they_come_from(callers, clock):
    for number in range(3):
        assert await who(callers, f"192.0.2.{number}", x_api_key=KEY) == with_key("website")
    told = (429, "You have started too many calls; try again in 20 s.")
    assert await who(callers, "192.0.2.9", x_api_key=KEY) == told
    assert await who(callers, x_api_key=OTHER_KEY) == with_key("phone")
    clock.s += 20
    assert await who(callers, x_api_key=KEY) == with_key("website")


async def test_who_has_to_wait_is_told_how_long(callers, clock):
    for _ in range(3):
        await who(callers, x_api_key=KEY)
    clock.s += 0.5
    with pytest.raises(Refused) as error:
        await callers.admit(head(x_api_key=KEY), ELSEWHERE)
    assert error.value.headers == {"Retry-After": "20"}  # 19.5 s, never too short


async def test_who_tries_keys_is_soon_not_listened_to(callers, clock):
    for number in range(FAILURES.count):
        assert await who(callers, x_api_key=f"a guess that is number {number}") == UNKNOWN
    told = (429, "Too many credentials from your address did not count; try again in 6 s.")
    assert await who(callers, x_api_key="another guess") == told
    assert await who(callers, x_api_key=KEY) == told  # nor told that it has guessed it
    assert await who(callers, "192.0.2.8", x_api_key=KEY) == with_key("website")
    clock.s += 6
    assert await who(callers, x_api_key=KEY) == with_key("website")


async def test_who_tries_keys_from_all_of_its_network_is_one(callers):
    for number in range(FAILURES.count):
        await who(callers, f"2001:db8:1:2::{number:x}", x_api_key="a guess")
    assert (await who(callers, "2001:db8:1:2:ffff::1", x_api_key=KEY))[0] == 429  # pyright: ignore
    assert await who(callers, "2001:db8:1:3::1", x_api_key=KEY) == with_key("website")


async def test_good_credentials_are_no_failures(clock):
    callers = Callers(settings(SALON_API_KEYS=KEYS), now_s=clock)
    for _ in range(3 * FAILURES.count):
        assert await who(callers, x_api_key=KEY) == with_key("website")


async def test_on_an_open_server_everybody_is_who_calls_from_there(clock):
    callers = Callers(settings(SALON_STARTS_PER_MINUTE=2), now_s=clock)
    home = Caller(name="127.0.0.1", kind=CallerKind.OPEN)
    assert [await who(callers, "127.0.0.1") for _ in range(3)] == [
        home,
        home,
        (429, "You have started too many calls; try again in 30 s."),
    ]
    assert await who(callers, "2001:db8::1") == Caller(name="2001:db8::/64", kind=CallerKind.OPEN)
    assert await who(callers, None) == Caller(name="local", kind=CallerKind.OPEN)


@pytest.fixture
async def stand_in() -> AsyncIterator[ProviderStandIn]:
    async with provider() as stand_in:
        yield stand_in


async def test_tokens_count_beside_keys(stand_in, clock):
    callers = Callers(
        settings(
            SALON_API_KEYS=KEYS,
            SALON_OIDC_ISSUER=stand_in.issuer,
            SALON_OIDC_AUDIENCE=AUDIENCE,
            SALON_STARTS_PER_MINUTE=1,
        ),
        now_s=clock,
    )
    bearer = f"Bearer {stand_in.token(sub='website')}"
    ada = Caller(name="website", kind=CallerKind.OIDC)
    assert await who(callers, authorization=bearer) == ada
    assert (await who(callers, authorization=bearer))[0] == 429  # pyright: ignore
    # The same name, and somebody else.
    assert await who(callers, x_api_key=KEY) == with_key("website")
    await callers.aclose()


async def test_a_provider_that_is_gone_is_nobodys_failure(stand_in, clock):
    stand_in.fault = "error"
    callers = Callers(
        settings(SALON_OIDC_ISSUER=stand_in.issuer, SALON_OIDC_AUDIENCE=AUDIENCE), now_s=clock
    )
    bearer = f"Bearer {stand_in.token()}"
    statuses = {(await who(callers, authorization=bearer))[0] for _ in range(15)}  # pyright: ignore
    assert statuses == {503}
    await callers.aclose()
