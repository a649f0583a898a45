"""Requests that nobody thought of, made from the server's own OpenAPI, and offers with a flaw.

Whatever comes, the server answers as its OpenAPI says, and nothing is left afterwards: no session,
no process, no socket, no file.
"""

import asyncio
import base64
import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests
import schemathesis
from aiortc import RTCPeerConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.settings import load_settings
from serving.access.origins import Origins
from serving.access.session_ids import SECRET_FILE
from serving.app import make_app
from tests.support.server import Server, running_server

SLOTS = 12
SPARES = 2
LASTS = {SECRET_FILE, "server.sock", "ring.json"}

bounded = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def operations() -> list[schemathesis.APIOperation]:
    """Every method of every route that the OpenAPI tells of."""
    parts: dict[str, Any] = dict.fromkeys(
        ("callers", "is_ready", "metrics", "switchboard", "taken_calls")
    )
    parts["desk"] = SimpleNamespace(turnstile=None)
    app = make_app(load_settings(env_file=None), origins=Origins(), **parts)
    schema = schemathesis.openapi.from_dict(app.openapi())
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == sum(len(methods) for methods in app.openapi()["paths"].values())
    return found


@pytest.fixture(scope="module")
def run_dir() -> Iterator[Path]:
    # A socket's name is short; pytest's own folders are not.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory, run_dir: Path) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("any"),
        "--offline",
        program=("-m", "tests.support.tiny_server"),
        SALON_MAX_SESSIONS=str(SLOTS),
        SALON_SPARE_PROCESSES=str(SPARES),
        SALON_LOG_LEVEL="INFO",
        SALON_RUN_DIR=str(run_dir),
        TWILIO_AUTH_TOKEN="0123456789abcdef0123456789abcdef",
        TELNYX_PUBLIC_KEY=base64.b64encode(bytes(32)).decode(),
        PLIVO_AUTH_TOKEN="fedcba9876543210fedcba9876543210",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def before(server: Server, run_dir: Path) -> dict[str, int]:
    """What the server holds once its spares are there."""
    deadline = time.monotonic() + 30
    while len(list(run_dir.glob("spare-*.sock"))) < SPARES and time.monotonic() < deadline:
        time.sleep(0.05)
    return held(server)


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[requests.Session]:
    with requests.Session() as http:
        yield http


def held(server: Server) -> dict[str, int]:
    """What the server holds, its processes together with those of its sessions."""
    process = psutil.Process(server.process.pid)
    return {"files": process.num_fds(), "processes": len(process.children(recursive=True))}


@contextlib.contextmanager
def accepted(server: Server, http: requests.Session) -> Iterator[str]:
    answer = http.post(f"{server.url}/start")
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["sessionId"]
    try:
        yield session_id
    finally:
        assert http.delete(f"{server.url}/sessions/{session_id}").status_code == 204


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_any_request_is_answered_as_the_openapi_says(
    operation, server: Server, http: requests.Session, before: dict[str, int]
):
    requests_to_it = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    if (
        operation.path != "/phone/sip"
    ):  # there a session must answer: tests/streams/test_sip_calls.py
        right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        requests_to_it = st.one_of(right, requests_to_it)

    @bounded
    @given(case=requests_to_it, is_accepted=st.booleans())
    def try_them(case: schemathesis.Case, is_accepted: bool):
        answer_one(case, server, http, is_accepted=is_accepted)

    try_them()


def answer_one(
    case: schemathesis.Case, server: Server, http: requests.Session, *, is_accepted: bool
) -> None:
    with contextlib.ExitStack() as stack:
        if is_accepted and "session_id" in case.path_parameters:
            case.path_parameters["session_id"] = stack.enter_context(accepted(server, http))
            if "wait_s" in case.query:
                case.query["wait_s"] = 0.05  # what else it may be is tried without a session
        answer = case.call(base_url=server.url, session=http, timeout=30)
        if case.path == "/start" and answer.status_code == 200:
            http.delete(f"{server.url}/sessions/{answer.json()['sessionId']}")
        case.validate_response(
            answer,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_headers_conformance,
                response_schema_conformance,
            ],
        )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """An offer as browsers make it: sound, pictures and a channel for messages."""
    return asyncio.run(_offer()).splitlines(keepends=True)


async def _offer() -> str:
    pc = RTCPeerConnection()
    for kind in ("audio", "video"):
        pc.addTransceiver(kind)
    pc.createDataChannel("chat")
    await pc.setLocalDescription(await pc.createOffer())
    await pc.close()
    return pc.localDescription.sdp


wrong = st.sampled_from(["", "\r\n", "m=", "a=candidate:", "a=fingerprint:x y\r\n", "a=mid:\r\n"])


@bounded
@given(data=st.data())
def test_an_offer_with_any_flaw_is_taken_or_refused(
    data, server: Server, http, lines, before: dict[str, int]
):
    broken = list(lines)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(broken) - 1))
        line = broken[at]
        cut = data.draw(st.integers(0, len(line)))
        broken[at] = data.draw(
            st.one_of(
                wrong, st.just(line * 2), st.just(line[:cut] + "\r\n"), st.text().map(line.__add__)
            )
        )
    with accepted(server, http) as session_id:
        answer = http.post(
            f"{server.url}/sessions/{session_id}/api/offer",
            json={"sdp": "".join(broken), "type": "offer"},
            timeout=30,
        )
    assert answer.status_code in (200, 400), answer.text


def left(run_dir: Path) -> set[str]:
    """What the folder holds beside spares and what is kept of endings and telephone calls."""
    return {
        path.name
        for path in run_dir.iterdir()
        if path.suffix != ".ended" and not path.name.startswith(("spare-", "taken-calls"))
    }


def test_nothing_is_left(server: Server, run_dir: Path, before: dict[str, int]):
    deadline = time.monotonic() + 20
    while (held(server), left(run_dir)) != (before, LASTS) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left(run_dir) == LASTS
    assert held(server) == before
    assert "Traceback" not in server.log()
