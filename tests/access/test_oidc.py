"""Bearer tokens, with everything that can be wrong with one, and with the provider."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import jwt
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from serving.access import oidc
from serving.access.key_schedule import FAILED_PAUSE_S, FRESH_S, UNKNOWN_PAUSE_S
from serving.access.oidc import MAX_TOKEN_CHARACTERS, OpenIdConnect
from serving.refused import Refused
from tests.access.provider_stand_in import (
    AUDIENCE,
    EC_KEY,
    ED_KEY,
    FAULTS,
    NEXT_RSA_KEY,
    RSA_KEY,
    ProviderStandIn,
    provider,
)
from tests.access.support import refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNREACHABLE = (
    503,
    "The identity provider can't be reached, so nobody can be let in right now.",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[ProviderStandIn]:
    async with provider() as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(running) -> ProviderStandIn:
    """The one that runs, as if it had just begun."""
    running.__init__(issuer=running.issuer)
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def oidc_at(stand_in) -> AsyncIterator[OpenIdConnect]:
    connect = OpenIdConnect(issuer=stand_in.issuer, audience=AUDIENCE)
    yield connect
    await connect.aclose()


class Clock:
    """What `time.monotonic` says to the code under test."""

    def __init__(self):
        self.s = 1000.0

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(oidc, "time", clock)
    return clock


async def whose(connect: OpenIdConnect, token: str) -> str | tuple[int, str]:
    try:
        return await connect.subject(token)
    except Refused as error:
        return refusal(error)


async def test_a_good_token_says_whose_it_is(stand_in, oidc_at):
    assert await whose(oidc_at, stand_in.token(sub="ada")) == "ada"
    assert stand_in.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA_KEY, "RS256"),
        (RSA_KEY, "RS512"),
        (RSA_KEY, "PS256"),
        (EC_KEY, "ES256"),
        (ED_KEY, "EdDSA"),
    ],
)
async def test_every_usual_algorithm_counts(stand_in, oidc_at, key, algorithm):
    stand_in.keys = {"one": key}
    assert await whose(oidc_at, stand_in.token(algorithm=algorithm)) == "ada"


def hs256(stand_in: ProviderStandIn) -> str:
    """Signed with the provider's public key, which everybody has, as if it were a secret."""
    header, payload, _ = stand_in.unsigned(header={"alg": "HS256", "kid": "one"}).split(".")
    mac = hmac.new(stand_in.public_pem(), f"{header}.{payload}".encode(), hashlib.sha256)
    return stand_in.unsigned(header={"alg": "HS256", "kid": "one"}, signature=mac.digest())


def other_key(stand_in: ProviderStandIn) -> str:
    return jwt.encode(stand_in.claims(), NEXT_RSA_KEY, "RS256", headers={"kid": "one"})


def changed(stand_in: ProviderStandIn) -> str:
    header, _, signature = stand_in.token().split(".")
    _, payload, _ = stand_in.token(sub="eve").split(".")
    return f"{header}.{payload}.{signature}"


def stripped(stand_in: ProviderStandIn) -> str:
    return stand_in.token().rpartition(".")[0] + "."


def own_key(stand_in: ProviderStandIn) -> str:
    """Signed with a key that the token brings along."""
    jwk = RSAAlgorithm.to_jwk(NEXT_RSA_KEY.public_key(), as_dict=True)
    headers = {"kid": "one", "jwk": jwk, "jku": "http://127.0.0.1:1/keys"}
    return jwt.encode(stand_in.claims(), NEXT_RSA_KEY, "RS256", headers=headers)


NOW = int(time.time())
NO_ALGORITHM = "is not signed with one of the algorithms that count"
NO_KEY = "is signed with a key that the issuer does not have"
NO_TOKEN = "is not a JSON Web Token"
WRONG = {
    "alg none": (lambda s: s.unsigned(header={"alg": "none", "kid": "one"}), NO_ALGORITHM),
    "alg None": (lambda s: s.unsigned(header={"alg": "None", "kid": "one"}), NO_ALGORITHM),
    "alg null": (lambda s: s.unsigned(header={"alg": None, "kid": "one"}), NO_ALGORITHM),
    "alg a list": (lambda s: s.unsigned(header={"alg": ["RS256"], "kid": "one"}), NO_ALGORITHM),
    "no alg": (lambda s: s.unsigned(header={"kid": "one"}), NO_ALGORITHM),
    "HS256 with the public key": (hs256, NO_ALGORITHM),
    "signed with another key": (other_key, "is not valid"),
    "signed with its own key": (own_key, "is not valid"),
    "claims exchanged": (changed, "is not valid"),
    "signature taken off": (stripped, "is not valid"),
    "RSA key, EC algorithm": (
        lambda s: s.unsigned(header={"alg": "ES256", "kid": "one"}, signature=b"x" * 64),
        "is not valid",
    ),
    "an unknown critical header": (
        lambda s: jwt.encode(s.claims(), RSA_KEY, "RS256", {"kid": "one", "crit": ["x"], "x": 1}),
        None,
    ),
    "expired": (lambda s: s.token(exp=NOW - 3600), "has expired"),
    "not yet": (lambda s: s.token(nbf=NOW + 3600), "does not count yet"),
    "issued in the future": (lambda s: s.token(iat=NOW + 3600), "does not count yet"),
    "for another audience": (lambda s: s.token(aud="other"), "is for another audience"),
    "for other audiences": (lambda s: s.token(aud=["a", "b"]), "is for another audience"),
    "from another issuer": (
        lambda s: s.token(iss="https://evil.example"),
        "is from another issuer",
    ),
    "no exp": (lambda s: s.token(exp=None), "lacks the claim 'exp'"),
    "no iss": (lambda s: s.token(iss=None), "lacks the claim 'iss'"),
    "no aud": (lambda s: s.token(aud=None), "lacks the claim 'aud'"),
    "no sub": (lambda s: s.token(sub=None), "lacks the claim 'sub'"),
    "exp a word": (lambda s: s.token(exp="never"), "is not valid"),
    "exp infinite": (lambda s: s.token(exp=float("inf")), "is not valid"),
    "sub empty": (lambda s: s.token(sub=""), "names nobody"),
    "sub endless": (lambda s: s.token(sub="x" * 256), "names nobody"),
    "no kid": (lambda s: s.token(kid=None), "does not say which key it is signed with"),
    "kid a number": (
        lambda s: s.unsigned(header={"alg": "RS256", "kid": 1}),
        None,
    ),
    "unknown kid": (lambda s: s.unsigned(header={"alg": "RS256", "kid": "two"}), NO_KEY),
    "a key for encrypting": (
        lambda s: jwt.encode(s.claims(), RSA_KEY, "RS256", {"kid": "encrypting"}),
        NO_KEY,
    ),
    "a shared key": (lambda s: s.unsigned(header={"alg": "RS256", "kid": "shared"}), NO_KEY),
    "oversized": (lambda s: s.token(extra="x" * MAX_TOKEN_CHARACTERS), "is too long"),
    "nothing": (lambda s: "", NO_TOKEN),
    "a word": (lambda s: "token", NO_TOKEN),
    "dots": (lambda s: "..", NO_TOKEN),
    "not text": (lambda s: "\udcff.é.\x00", NO_TOKEN),
    "a header that is no object": (lambda s: "W10.W10.W10", NO_TOKEN),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_token_is_refused_for_what_is_wrong_with_it(stand_in, oidc_at, wrong):
    make, why = WRONG[wrong]
    answer = await whose(oidc_at, make(stand_in))
    if why is None:
        assert answer[0] == 401
    else:
        assert answer == (401, f"The bearer token {why}.")


async def test_a_key_is_used_only_as_its_provider_says(stand_in, oidc_at, monkeypatch):
    published = stand_in.key_set()
    published["keys"][-1]["alg"] = "RS256"
    monkeypatch.setattr(stand_in, "key_set", lambda: published)
    assert await whose(oidc_at, stand_in.token(algorithm="RS256")) == "ada"
    answer = await whose(oidc_at, stand_in.token(algorithm="PS512"))
    assert answer == (401, "The bearer token is not signed as its key is to be used.")


@pytest.mark.parametrize("late_s", [-20, 20])
async def test_clocks_may_differ_a_little(stand_in, oidc_at, late_s):
    now = int(time.time())
    token = stand_in.token(exp=now + late_s, nbf=now + late_s, iat=now - 300)
    assert await whose(oidc_at, token) == "ada"


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){1,3}"))
async def test_any_text_is_refused_without_asking_anybody(text):
    connect = OpenIdConnect.__new__(OpenIdConnect)  # has neither keys nor a connection
    answer = await whose(connect, text)
    assert isinstance(answer, tuple) and answer[0] == 401


async def test_a_new_key_is_found(stand_in, oidc_at, clock):
    assert await whose(oidc_at, stand_in.token()) == "ada"
    stand_in.keys = {"one": RSA_KEY, "two": NEXT_RSA_KEY}
    clock.s += UNKNOWN_PAUSE_S
    assert await whose(oidc_at, stand_in.token(kid="two")) == "ada"
    assert await whose(oidc_at, stand_in.token(kid="one")) == "ada"
    assert len(stand_in.asked) == 4


async def test_a_key_that_was_taken_back_soon_counts_no_more(stand_in, oidc_at, clock):
    old = stand_in.token()
    assert await whose(oidc_at, old) == "ada"
    stand_in.keys = {"two": NEXT_RSA_KEY}
    clock.s += FRESH_S
    assert await whose(oidc_at, old) == (401, f"The bearer token {NO_KEY}.")


async def test_made_up_keys_do_not_make_the_server_hammer_the_provider(stand_in, oidc_at):
    tokens = [stand_in.unsigned(header={"alg": "RS256", "kid": f"made-up-{n}"}) for n in range(200)]
    answers = await asyncio.gather(*[whose(oidc_at, token) for token in tokens])
    assert set(answers) == {(401, f"The bearer token {NO_KEY}.")}
    assert len(stand_in.asked) == 2


async def test_many_who_come_at_once_have_the_keys_fetched_once(stand_in, oidc_at):
    tokens = [stand_in.token(sub=str(n)) for n in range(50)]
    assert await asyncio.gather(*[whose(oidc_at, t) for t in tokens]) == [str(n) for n in range(50)]
    assert len(stand_in.asked) == 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_provider_that_can_not_be_relied_on_lets_nobody_in(
    stand_in, oidc_at, clock, fault, monkeypatch
):
    monkeypatch.setattr(oidc, "FETCH_S", 0.3)
    token = stand_in.token()
    stand_in.fault = fault
    assert await whose(oidc_at, token) == UNREACHABLE
    asked = len(stand_in.asked)
    assert await whose(oidc_at, token) == UNREACHABLE
    assert len(stand_in.asked) == asked  # it is left alone for a while
    stand_in.fault = None
    clock.s += FAILED_PAUSE_S
    assert await whose(oidc_at, token) == "ada"


async def test_a_provider_that_is_not_there_lets_nobody_in(stand_in):
    gone = OpenIdConnect(issuer="http://127.0.0.1:9", audience=AUDIENCE)
    try:
        with pytest.raises(Refused) as error:
            await gone.subject(stand_in.token(iss="http://127.0.0.1:9"))
        assert refusal(error.value) == UNREACHABLE
        assert error.value.headers == {"Retry-After": "5"}
    finally:
        await gone.aclose()


async def test_who_was_known_is_let_in_while_the_provider_is_gone_for_a_short_time(
    stand_in, oidc_at, clock
):
    assert await whose(oidc_at, stand_in.token()) == "ada"
    stand_in.fault = "error"
    clock.s += FRESH_S
    assert await whose(oidc_at, stand_in.token(sub="grace")) == "grace"
    assert await whose(oidc_at, stand_in.token(exp=NOW - 3600)) == (
        401,
        "The bearer token has expired.",
    )


async def test_verifying_does_not_hold_up_the_event_loop(stand_in, oidc_at):
    token = stand_in.token()
    await whose(oidc_at, token)
    durations = []
    for _ in range(20):
        before = time.perf_counter()
        await whose(oidc_at, token)
        durations.append(time.perf_counter() - before)
    assert sorted(durations)[10] < 0.005
