"""Names for the TURN servers of Twilio and Cloudflare: one for each call, by the services' own APIs.

The services themselves are stand-ins on loopback (`tests/support/turn_service.py`).
"""

import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from loguru import logger

from pipeline.settings import Settings, SettingsError, load_settings
from pipeline.turn_services import MAX_URLS, mint_request, minted_servers
from serving.turn_credentials import TurnCredentials
from tests.access.support import settings as only
from tests.support.server import running_server
from tests.support.turn_service import (
    ACCOUNT,
    CLOUDFLARE,
    FAULTS,
    SECRET,
    TWILIO,
    TurnServiceStandIn,
    turn_service,
)


@pytest.fixture
async def service() -> AsyncIterator[TurnServiceStandIn]:
    async with turn_service() as stand_in:
        yield stand_in


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO", format="{level} {message}")
    yield lines
    logger.remove(sink)


def credentials(service: TurnServiceStandIn, **variables: object) -> TurnCredentials:
    settings = only(SALON_TURN_SERVICE_URL=service.url, **{**TWILIO, **variables})
    return TurnCredentials(settings, within_s=0.2)


@pytest.mark.parametrize("variables", [TWILIO, CLOUDFLARE], ids=["twilio", "cloudflare"])
async def test_each_call_has_a_name_of_its_own_for_so_many_seconds(service, lines, variables):
    turn = TurnCredentials(
        only(SALON_TURN_SERVICE_URL=service.url, SALON_TURN_TTL_S=600, **variables)
    )
    one, other = await turn.servers("one"), await turn.servers("other")
    assert service.asked == [600, 600]  # neither milliseconds nor a day
    names = [server for server in (*one, *other) if "username" in server]
    assert [name["urls"] for name in names] == [[service.turn_url]] * 2  # nor a port of DNS
    assert len({name["credential"] for name in names}) == 2
    assert {key for server in one for key in server} == {"urls", "username", "credential"}
    assert await turn.servers("one") == one  # the session's own side gets the caller's
    turn.forget("one")
    assert await turn.servers("one") != one
    assert lines == []
    await turn.aclose()


async def test_twilio_takes_the_accounts_own_token_too(service):
    account = {"TWILIO_API_KEY": None, "TWILIO_API_SECRET": None, "TWILIO_AUTH_TOKEN": SECRET}
    turn = credentials(service, **account)
    assert len(await turn.servers("x")) == 2
    await turn.aclose()


async def test_without_a_service_nobody_is_asked(service):
    turn = credentials(service, SALON_TURN_SERVICE=None)
    assert await turn.servers("x") == [] and service.asked == []
    await turn.aclose()


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_goes_wrong_is_said_once_and_the_call_goes_on(service, lines, fault):
    turn = credentials(service)
    service.fault = fault
    began_s = time.monotonic()
    assert await turn.servers("one") == await turn.servers("other") == []
    assert time.monotonic() - began_s < 2
    said = f"Twilio gave no TURN server: {FAULTS[fault]}; calls go on with the other servers."
    assert [line.strip() for line in lines] == [f"WARNING {said}"]
    service.fault = None
    assert await turn.servers("one") == []  # it was asked, once for each call
    assert len(await turn.servers("third")) == 2
    assert [line.strip() for line in lines[1:]] == ["INFO Twilio gives TURN servers again."]
    await turn.aclose()


async def test_a_secret_that_is_not_taken_is_not_quoted(service, lines):
    turn = credentials(service, TWILIO_API_SECRET="planted-wrong-secret")
    assert await turn.servers("x") == []
    (line,) = lines
    assert "it does not take the name and the secret (401)" in line
    assert "planted" not in line and ACCOUNT not in line
    await turn.aclose()


async def test_a_service_that_is_away_keeps_nobody_waiting(lines):
    away = only(SALON_TURN_SERVICE_URL="http://127.0.0.1:9", **TWILIO)
    turn = TurnCredentials(away)
    assert await turn.servers("x") == []
    assert "it can't be reached" in lines[0] and SECRET not in lines[0]
    await turn.aclose()


def test_of_many_addresses_some_will_do():
    urls = ", ".join(f'"turn:a{number}"' for number in range(90))
    body = f'{{"iceServers": [{{"urls": [{urls}], "username": "u", "credential": "c"}}]}}'
    (server,) = minted_servers(201, body.encode())
    assert len(server["urls"]) == MAX_URLS


@pytest.mark.parametrize("variables", [TWILIO, CLOUDFLARE], ids=["twilio", "cloudflare"])
def test_the_services_own_addresses_are_asked_over_tls(variables):
    request = mint_request(only(**variables))
    assert request and request.url.startswith(
        ("https://api.twilio.com/2010-04-01/", "https://rtc.live.cloudflare.com/v1/turn/keys/")
    )
    assert SECRET not in repr(request)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"SALON_TURN_SERVICE": "twilio"}, "TWILIO_ACCOUNT_SID"),
        ({"SALON_TURN_SERVICE": "twilio", "TWILIO_ACCOUNT_SID": "AC"}, "TWILIO_AUTH_TOKEN"),
        ({**TWILIO, "TWILIO_API_SECRET": ""}, "TWILIO_API_SECRET"),
        ({"SALON_TURN_SERVICE": "cloudflare"}, "CLOUDFLARE_TURN_KEY_ID"),
        ({**CLOUDFLARE, "CLOUDFLARE_TURN_API_TOKEN": ""}, "CLOUDFLARE_TURN_API_TOKEN"),
    ],
)
def test_what_a_service_needs_is_asked_for_in_a_sentence(monkeypatch, given, missing):
    for name in Settings.variables():
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{missing} is missing: SALON_TURN_SERVICE="):
        load_settings(env_file=None)


async def test_start_is_answered_whatever_the_service_does(short_folder, service):
    """By the real server; a caller never sees more of the service than its TURN servers."""
    with running_server(
        short_folder,
        "--offline",
        program=("-m", "tests.support.tiny_server"),
        PIPECAT_ICE_SERVERS="stun:127.0.0.1:9",
        SALON_TURN_SERVICE_URL=service.url,
        SALON_TURN_TTL_S="600",
        SALON_RUN_DIR=str(short_folder / "run"),
        **TWILIO,
    ) as server:
        assert service.asked == []
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
            started = [(await http.post("/start")).json() for _ in range(2)]
            service.fault = "error"
            without = await http.post("/start")
        assert without.status_code == 200
        assert without.json()["iceConfig"]["iceServers"] == [{"urls": "stun:127.0.0.1:9"}]
        *_, one = started[0]["iceConfig"]["iceServers"]
        *_, other = started[1]["iceConfig"]["iceServers"]
        assert one["username"] != other["username"] and service.asked == [600, 600]
        on_disk = b"".join(p.read_bytes() for p in short_folder.rglob("*") if p.is_file())
        for private in (SECRET, one["credential"], other["credential"]):
            assert private.encode() not in on_disk  # neither in the log nor in the run folder
        assert server.log().count("Twilio gave no TURN server: it answered 500") == 1
