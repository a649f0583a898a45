"""The server as a user runs it, with access set: who gets in, and what it says of secrets."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets
from websockets.sync.client import connect

from pipeline.settings import ROOT, Settings
from serving.access.page_headers import HEADERS
from tests.support.ports import free_port
from tests.support.secrets import Secrets
from tests.support.server import Server, running_server

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture(scope="module")
def guarded(secrets, tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    variables = {
        name: value for name, value in secrets.environment().items() if name != "DAILY_API_KEY"
    }
    variables["SALON_TURN_URLS"] = "turn:127.0.0.1:9"
    with running_server(folder, "--offline", **variables) as server:
        yield server


@pytest.fixture(scope="module")
def key(secrets, guarded) -> dict[str, str]:
    """The header of a caller who may."""
    return {"X-API-Key": "+/".join(secrets.halves("SALON_API_KEYS"))}


def post(server: Server, path: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    return httpx.post(server.url + path, headers=headers, json=body, trust_env=False, timeout=30)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_others_reach_it_the_command_says_what_to_set(host):
    nothing_set = {k: v for k, v in os.environ.items() if k not in Settings.variables()}
    done = subprocess.run(
        [sys.executable, "runner.py", "--host", host, "--port", str(free_port()), "--offline"],
        cwd=ROOT,
        env=nothing_set,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"Salon can't start: others can reach {host}, ")
    assert "SALON_API_KEYS" in line


def test_who_has_a_key_starts_a_call_and_ends_it(guarded, key):
    answer = post(guarded, "/start", key)
    assert answer.status_code == 200
    path = f"/sessions/{answer.json()['sessionId']}"
    assert httpx.get(guarded.url + path, trust_env=False).json() == {"state": "running"}
    assert httpx.delete(guarded.url + path, trust_env=False).status_code == 204


def test_who_has_none_does_not(guarded):
    assert post(guarded, "/start", {}).status_code == 401
    for path in ("/ws", "/ws-client"):
        with pytest.raises(websockets.InvalidStatus) as error:
            connect(guarded.url.replace("http", "ws") + path, proxy=None)
        assert error.value.response.status_code == 401


def test_a_page_from_elsewhere_gets_nothing_even_with_a_key(guarded, key):
    answer = post(guarded, "/start", {**key, "Origin": EVIL})
    assert answer.status_code == 403
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    with pytest.raises(websockets.InvalidStatus) as error:
        connect(
            guarded.url.replace("http", "ws") + "/ws",
            origin=websockets.Origin(EVIL),
            additional_headers=key,
            proxy=None,
        )
    assert error.value.response.status_code == 403


def test_what_is_too_long_is_not_read(guarded, key):
    assert post(guarded, "/start", key, note="x" * 70_000).status_code == 413
    head = {"X-Long": "x" * 600_000}
    try:
        assert post(guarded, "/start", {**key, **head}).status_code == 400
    except httpx.TransportError:
        pass  # the connection was ended while the head was still being sent


def test_no_secret_is_in_what_the_server_wrote(guarded, secrets, key):
    for name in ("a wrong key", "another wrong key"):
        post(guarded, "/start", {"X-API-Key": secrets.plant(name)})
    post(guarded, f"/sessions/{secrets.plant('an id').replace('/', '')}/api/offer", {}, sdp="x")
    session = post(guarded, "/start", key).json()["sessionId"]
    httpx.delete(f"{guarded.url}/sessions/{session}", trust_env=False)
    signature = session.rpartition(".")[2]
    assert " 401 " in guarded.log()
    assert signature not in guarded.log()
    assert secrets.found_in(guarded.folder) == []
