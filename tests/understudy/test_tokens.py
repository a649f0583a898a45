"""Ephemeral tokens, and the listener without TLS."""

import asyncio
import json
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from websockets.asyncio.client import connect

from tests.understudy.support import Client
from understudy import Understudy
from understudy.errors import ProtocolError
from understudy.posting import answer_post
from understudy.routes import LiveRoute, TokensRoute, check_access, route
from understudy.tokens import TokenStore

LIVE = "ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"
MODEL = "models/gemini-3.8-live"
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Tokens:
    """A store on a calendar of its own."""

    def __init__(self) -> None:
        self.now = START
        names = iter(range(100_000))
        self.store = TokenStore(new_hex=lambda: f"{next(names):064x}", now=lambda: self.now)

    def mint(self, **body: Any) -> str:
        status, answer = self.store.mint(json.dumps(body).encode())
        assert status == 200, answer
        return json.loads(answer)["name"]

    def refusal(self, body: bytes) -> dict[str, Any]:
        status, answer = self.store.mint(body)
        error = json.loads(answer)["error"]
        assert status == error["code"] == 400
        return error

    def admit(self, name: str, **setup: Any) -> dict[str, Any]:
        return dict(self.store.admit(name, setup).setup)

    def closed(self, name: str, **setup: Any) -> tuple[int, str]:
        with pytest.raises(ProtocolError) as caught:
            self.store.admit(name, setup)
        return caught.value.code, caught.value.reason


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


EXPIRED = (1007, "API key expired. Please renew the API key.")
USED_UP = (1008, "Token has been used too many times.")
RESUMED = {"sessionResumption": {"handle": "h"}}


def test_a_token_is_good_for_one_session_within_a_minute(tokens):
    name = tokens.mint()
    assert name.startswith("auth_tokens/")
    assert tokens.admit(name, model=MODEL) == {"model": MODEL}
    assert tokens.closed(name) == USED_UP
    late = tokens.mint()
    tokens.now += timedelta(seconds=60)
    assert tokens.closed(late) == EXPIRED


def test_resuming_is_no_use_and_no_new_session(tokens):
    name = tokens.mint()
    tokens.admit(name)
    tokens.now += timedelta(minutes=29)
    assert tokens.admit(name, **RESUMED) == RESUMED
    tokens.now += timedelta(minutes=1)
    assert tokens.closed(name, **RESUMED) == EXPIRED


def test_any_number_of_uses(tokens):
    name = tokens.mint(uses=0)
    for _ in range(5):
        tokens.admit(name)
    twice = tokens.mint(uses="2")
    tokens.admit(twice)
    tokens.admit(twice)
    assert tokens.closed(twice) == USED_UP


def test_times_of_its_own(tokens):
    name = tokens.mint(
        uses=0, expireTime="2026-11-21T13:00:00Z", newSessionExpireTime="2026-11-21T14:30:00+02:00"
    )
    tokens.now += timedelta(minutes=29)
    tokens.admit(name)
    assert tokens.store.admit(name, {}).for_s == 31 * 60
    tokens.now += timedelta(minutes=1)
    assert tokens.closed(name) == EXPIRED


def test_an_unknown_token(tokens):
    assert tokens.closed("auth_tokens/0") == (
        1007,
        "API key not valid. Please pass a valid API key.",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Invalid JSON payload received."),
        (b"[]", "Invalid value"),
        (b'{"use":1}', 'Unknown name "use"'),
        (b'{"uses":-1}', "uses must not be negative."),
        (b'{"expireTime":"soon"}', "Invalid value at 'expireTime'"),
        (b'{"expireTime":"2026-11-21T13:00:00"}', "Invalid value at 'expireTime'"),
        (b'{"expireTime":"2026-11-22T08:00:01Z"}', "less than 20 hours"),
        (b'{"newSessionExpireTime":"2027-01-01T00:00:00Z"}', "less than 20 hours"),
        (b'{"bidiGenerateContentSetup":{"x":1}}', 'Unknown name "x"'),
    ],
)
def test_what_is_no_token_request(tokens, body, message):
    assert message in tokens.refusal(body)["message"]


LOCKED = {
    "model": MODEL,
    "generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.7},
    "sessionResumption": {},
}
WISHES: dict[str, Any] = {
    "model": "models/other",
    "generationConfig": {"temperature": 1.0, "topP": 0.5},
    "outputAudioTranscription": {},
}


def test_without_a_mask_the_whole_setup_is_locked(tokens):
    name = tokens.mint(bidiGenerateContentSetup=LOCKED, uses=0)
    admitted = tokens.admit(name, **WISHES)
    assert admitted["model"] == MODEL
    assert admitted["generationConfig"]["temperature"] == 0.7
    assert "outputAudioTranscription" not in admitted
    assert tokens.admit(name, **WISHES, **RESUMED)["sessionResumption"] == {"handle": "h"}


def test_with_a_mask_those_fields_are_locked(tokens):
    mask = "model, generation_config.temperature,generationConfig.topK,sessionResumption"
    name = tokens.mint(bidiGenerateContentSetup=LOCKED, fieldMask=mask)
    assert tokens.admit(name, **{**WISHES, "generationConfig": {"topK": 3.0, "topP": 0.5}}) == {
        "model": MODEL,
        "generationConfig": {"temperature": 0.7, "topP": 0.5},
        "sessionResumption": {},
        "outputAudioTranscription": {},
    }


def test_the_store_is_bounded(tokens):
    first = tokens.mint()
    for _ in range(10_000):
        tokens.mint()
    assert tokens.closed(first)[0] == 1007


def test_the_store_is_bounded_in_bytes_too(tokens):
    instruction = {"parts": [{"text": "x" * 200_000}]}
    setup = {"model": MODEL, "systemInstruction": instruction}
    names = [tokens.mint(bidiGenerateContentSetup=setup) for _ in range(25)]
    assert tokens.closed(names[5])[0] == 1007
    assert tokens.admit(names[6])["systemInstruction"]["parts"][0]["text"] == "x" * 200_000


def test_a_session_ends_with_its_token(tokens):
    name = tokens.mint(bidiGenerateContentSetup={"model": MODEL})
    client = Client(admit=lambda setup: tokens.store.admit(name, setup), clock_scale=0.1)
    client.set_up("whatever")
    assert client.noted("setup")[0]["model"] == "gemini-3.8-live"
    client.wait(30 * 60 - 1)
    client.type("hello")
    assert client.closed is None
    client.wait(2)
    client.type("hello?")
    assert client.closed == EXPIRED


# Where they are taken


def test_tokens_have_a_place_of_their_own():
    constrained = route(f"//{LIVE}Constrained?access_token=auth_tokens/1", {})
    assert constrained == LiveRoute("v1alpha", "auth_tokens/1", is_constrained=True)
    assert check_access(LiveRoute("v1alpha", "auth_tokens/1", is_constrained=True), {"k"}) is None
    for headers in ({"x-goog-api-key": "auth_tokens/1"}, {"authorization": "Token auth_tokens/1"}):
        assert route(f"/{LIVE}Constrained", headers) == constrained
    assert route("//v1alpha/auth_tokens", {"x-goog-api-key": "k"}) == TokensRoute("k")


@pytest.mark.parametrize(
    ("place", "code", "reason"),
    [
        (f"/{LIVE}?access_token=auth_tokens/1", 1008, "Method doesn't allow unregistered callers"),
        (f"/{LIVE}Constrained", 1008, "Method doesn't allow unregistered callers"),
        (f"/{LIVE}Constrained?key=k", 1007, "API key not valid"),
    ],
)
def test_the_wrong_credential_for_the_place(place, code, reason):
    found = route(place, {})
    assert isinstance(found, LiveRoute)
    refusal = check_access(found, None)
    assert refusal
    assert refusal.code == code
    assert refusal.reason.startswith(reason)


# POST


def posted(request: bytes) -> bytes | None:
    def echo(target, headers, body):
        return HTTPStatus.OK, f"{target} {headers.get('x')} {body.decode()}"

    return answer_post(request, echo)


def test_a_request_is_answered_when_all_of_it_is_there():
    request = b"POST /a?b=c HTTP/1.1\r\nX: y\r\nContent-Length: 4\r\n\r\nbody"
    for end in range(len(request)):
        assert posted(request[:end]) is None
    answer = posted(request)
    assert answer and answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n/a?b=c y body")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /" + b"a" * 20_000, b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
    ],
)
def test_requests_that_are_refused(request_, status):
    answer = posted(request_)
    assert answer and answer.split()[1] == status


def sdk(understudy: Understudy, key: str, version: str = "v1alpha") -> genai.Client:
    context = ssl.create_default_context(cafile=str(understudy.cert_path))
    options = types.HttpOptions(
        base_url=understudy.base_url,
        api_version=version,
        client_args={"verify": context},
        async_client_args={"ssl": context},
    )
    return genai.Client(api_key=key, http_options=options)


async def test_the_sdk_mints_a_token_and_talks_with_it():
    async with Understudy() as understudy:

        def mint() -> str | None:
            with sdk(understudy, "any") as client, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return client.auth_tokens.create(
                    config={
                        "live_connect_constraints": {
                            "model": "gemini-3.8-live",
                            "config": {"response_modalities": [types.Modality.AUDIO]},
                        }
                    }
                ).name

        token = await asyncio.to_thread(mint)
        assert token
        config = types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            constrained = sdk(understudy, token).aio.live
            async with constrained.connect(model="ignored", config=config) as live:
                await live.send_realtime_input(text="hello")
                async for message in live.receive():
                    if message.data:
                        break
            with pytest.raises(errors.APIError, match="1008 None. Token has been used"):
                async with constrained.connect(model="ignored", config=config):
                    raise AssertionError("connected")
        assert token not in json.dumps(understudy.records)
        with pytest.raises(errors.ClientError, match="API key not valid"):
            with sdk(understudy, "invalid") as client, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                await asyncio.to_thread(client.auth_tokens.create, config={"uses": 1})


async def test_without_tls_and_in_text_frames():
    async with Understudy(plain_port=0, text_frames=True) as understudy:
        assert understudy.plain_url.startswith("http://127.0.0.1:")
        url = f"{understudy.plain_url.replace('http', 'ws')}/{LIVE}?key=k"
        async with connect(url) as websocket:
            await websocket.send(json.dumps({"setup": {"model": MODEL}}))
            async with asyncio.timeout(5):
                assert await websocket.recv() == '{\n  "setupComplete": {}\n}'
