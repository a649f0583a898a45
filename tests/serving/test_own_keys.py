"""Callers' own keys to the model: what they open, and that they are nowhere afterwards."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from serving.access.own_keys import HEADER, OwnKeys, check_own_key, own_key_of
from serving.refused import Refused
from tests.support.caller import Caller, HttpDoor, http_client
from tests.support.collector import collector
from tests.support.secrets import Secrets
from tests.support.server import Server, running_server
from understudy import Understudy


@contextlib.asynccontextmanager
async def keyless(folder: Path, understudy: Understudy, **variables: str) -> AsyncIterator[Server]:
    """A server without a key of its own, whose model's service is an understudy."""
    with running_server(
        folder,
        GOOGLE_GEMINI_BASE_URL=understudy.base_url,
        SSL_CERT_FILE=str(understudy.cert_path),
        SALON_OWN_MODEL_KEYS="must",
        SALON_RUN_DIR=str(folder / "run"),
        SALON_LOG_LEVEL="TRACE",
        **variables,
    ) as server:
        yield server


def door(server: Server, key: str) -> HttpDoor:
    """The door of a caller who brings a key."""
    door = HttpDoor(server.url)
    door.http.headers[HEADER] = key
    return door


async def test_a_callers_key_opens_the_call_and_is_nowhere(short_folder: Path):
    secrets = Secrets()
    key = secrets.plant("the caller's key")
    with collector() as traces:
        async with (
            Understudy(port=0, keys={key}) as understudy,
            keyless(short_folder, understudy, OTEL_EXPORTER_OTLP_ENDPOINT=traces.url) as server,
        ):
            async with http_client(server.url) as http:
                assert (await http.get("/api/salon")).json()["model_key"] == "must"
                refused = await http.post("/start", json={})
                assert refused.status_code == 400 and HEADER in refused.json()["detail"]
                waiting = await http.post("/start", json={}, headers={HEADER: key})
            session = waiting.json()["sessionId"].partition(".")[0]
            assert json.loads((short_folder / "run" / f"{session}.start").read_text())[
                "has_own_key"
            ]
            assert secrets.found_in(short_folder) == []  # while it is held for that call
            async with Caller(door(server, key)) as caller:
                await caller.bot_said("understudy")
                caller.types("good evening")
                await caller.bot_said("good evening")
                assert secrets.found_in(short_folder) == []  # while it is in use
            async with http_client(server.url) as http:
                metrics = (await http.get("/metrics")).text
                assert "salon_session_starts_total" in metrics
                told = f"{waiting.text} {waiting.headers} {metrics} {caller.messages}"
        assert list((short_folder / "turns").iterdir())
        assert traces.bodies
    assert secrets.found_in(short_folder) == []
    assert secrets.found_in(told) == []
    # The log at this level has all that is sent to the model's service, this header too.
    assert f"{HEADER.lower()}: [hidden]" in server.log()
    assert secrets.found_in(b"".join(traces.bodies)) == []


async def test_a_key_that_google_refuses_is_told_in_a_sentence(short_folder: Path):
    secrets = Secrets()
    wrong = secrets.plant("a wrong key")
    async with (
        Understudy(port=0, keys={"another"}) as understudy,
        keyless(short_folder, understudy) as server,
    ):
        async with Caller(door(server, wrong)) as caller:
            ended = await caller.hears("server-message", type="ended")
        assert "Gemini refused your API key" in ended["text"]
        assert "aistudio.google.com/apikey" in ended["text"]
        assert secrets.found_in(str(caller.messages)) == []
    assert secrets.found_in(short_folder) == []


def test_a_server_that_takes_none_says_so(server):
    answer = httpx.post(f"{server.url}/start", json={}, headers={HEADER: "0123456789"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("This server takes no Gemini API key")
    assert httpx.get(f"{server.url}/api/salon").json()["model_key"] == "no"


@pytest.mark.parametrize(
    ("brings", "wanted", "is_taken"),
    [
        (None, "no", True),
        (None, "may", True),
        (None, "must", False),
        ("0123456789", "no", False),
        ("0123456789", "may", True),
        ("0123456789", "must", True),
    ],
)
def test_who_may_bring_a_key_and_who_must(brings, wanted, is_taken):
    refusal = contextlib.nullcontext() if is_taken else pytest.raises(Refused)
    with refusal:
        check_own_key(SecretStr(brings) if brings else None, wanted)


@pytest.mark.parametrize(
    "values", [["short"], ["has a space"], ["x" * 513], ["caf\xe9" * 5], ["0123456789"] * 2]
)
def test_what_can_not_be_a_key_is_refused_without_being_quoted(values):
    headers = [(HEADER.lower().encode(), value.encode("latin-1")) for value in values]
    with pytest.raises(Refused) as error:
        own_key_of(headers)
    assert error.value.status == 400 and values[0] not in str(error.value)


def test_without_a_header_or_with_an_empty_one_there_is_no_key():
    assert own_key_of([]) is None
    assert own_key_of([(b"x-goog-api-key", b"")]) is None


def test_keys_of_calls_that_wait_no_longer_are_forgotten():
    keys = OwnKeys()
    keys.keep("waits", SecretStr("one"))
    keys.keep("is gone", SecretStr("another"))
    keys.forget_all_but(lambda session: session == "waits")
    assert keys.of("waits") and not keys.of("is gone")
