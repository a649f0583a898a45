"""What the routes answer: what is right arrives, what is wrong is refused in a sentence."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiortc import RTCPeerConnection
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from serving.access.session_ids import SECRET_FILE, SessionIds
from tests.support.server import Server, running_server

SLOTS = 3


@pytest.fixture(scope="module")
def run_dir():
    # A socket's name is short; pytest's own folders are not.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory, run_dir: Path):
    folder = tmp_path_factory.mktemp("routes")
    with running_server(
        folder,
        program=("-m", "tests.support.tiny_server"),
        GOOGLE_API_KEY="nobody asks the model",  # offline there would be a stand-in for Daily too
        SALON_MAX_SESSIONS=str(SLOTS),
        SALON_RUN_DIR=str(run_dir),
    ) as server:
        yield server


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        yield http
        # Each test gives back what it took.
        assert await sessions_left(http) == SLOTS


async def sessions_left(http: httpx.AsyncClient, *, within_s: float = 10) -> int:
    """How many calls are accepted; looked for until it is as many as there are slots."""
    deadline = time.monotonic() + within_s
    while True:
        taken = []
        while (answer := await http.post("/start")).status_code == 200:
            taken.append(answer.json()["sessionId"])
        assert answer.status_code == 503
        for session_id in taken:
            await http.delete(f"/sessions/{session_id}")
        if len(taken) == SLOTS or time.monotonic() > deadline:
            return len(taken)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def accepted(http: httpx.AsyncClient, **asked) -> AsyncIterator[str]:
    """A session that was accepted; it is ended again."""
    answer = await http.post("/start", json=asked)
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["sessionId"]
    try:
        yield session_id
    finally:
        assert (await http.delete(f"/sessions/{session_id}")).status_code == 204


async def an_offer() -> dict[str, str]:
    """As a browser would make it."""
    pc = RTCPeerConnection()
    pc.addTransceiver("audio")
    await pc.setLocalDescription(await pc.createOffer())
    sdp = pc.localDescription.sdp
    await pc.close()
    return {"sdp": sdp, "type": "offer"}


def refusal(answer: httpx.Response, status: int) -> str:
    """The sentence of a refusal, which is all that it says."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"}
    sentence = answer.json()["detail"]
    assert sentence.endswith(".") and "Traceback" not in sentence
    return sentence


# --- /start -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"transport": "webrtc"},
        {"body": {}},
        {"body": {"persona": "art-critic", "anything": ["else"]}},
        {"enableDefaultIceServers": True, "transport": None},
    ],
)
async def test_what_is_right_is_accepted(http: httpx.AsyncClient, body: dict):
    async with accepted(http, **body) as session_id:
        state = await http.get(f"/sessions/{session_id}")
        assert state.json() == {"state": "running"}


async def test_an_empty_request_is_a_plain_start(http: httpx.AsyncClient):
    answer = await http.post("/start")
    started = answer.json()
    assert started["fileUploadUrl"].startswith(f"/sessions/{started['sessionId']}/")
    await http.delete(f"/sessions/{started['sessionId']}")


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"not json", ["must be JSON", '{"body": {"persona"']),
        (b"\xff\xfe", ["must be JSON", '{"body": {"persona"']),
        (b"[" * 60_000, ["must be JSON", '{"body": {"persona"']),
        (b"[1, 2]", ["must be JSON", '{"body": {"persona"']),
        (b'"companion"', ["must be JSON", '{"body": {"persona"']),
        (b'{"body": "companion"}', ["body can't be used", '{"body": {"persona"']),
        (b'{"body": {"persona": "nobody"}}', ["art-critic, companion, screen-helper"]),
        (b'{"body": {"persona": "../bot"}}', ["art-critic, companion, screen-helper"]),
        (b'{"body": {"persona": "\\u0000\\ud800"}}', ["art-critic, companion, screen-helper"]),
        (b'{"body": {"persona": 7}}', ["art-critic, companion, screen-helper"]),
        (b'{"body": {"persona": ""}}', ["art-critic, companion, screen-helper"]),
        (b'{"transport": "carrier pigeon"}', ["transport must be 'webrtc', 'daily' or 'web"]),
        (b'{"transport": 7}', ["transport must be 'webrtc', 'daily' or 'websocket'"]),
        (b'{"transport": "daily"}', ["DAILY_API_KEY"]),
        (b'{"createDailyRoom": true}', ["DAILY_API_KEY"]),
        (b'{"createDailyRoom": [1]}', ["createDailyRoom can't be used"]),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
async def test_what_is_wrong_is_refused_in_a_sentence(
    http: httpx.AsyncClient, content: bytes, sentences: list[str]
):
    headers = {"Content-Type": "application/json"}
    told = refusal(await http.post("/start", content=content, headers=headers), 400)
    for sentence in sentences:
        assert sentence in told


async def test_a_form_is_told_what_would_be_taken(http: httpx.AsyncClient):
    assert "application/json" in refusal(await http.post("/start", data={"body": "x"}), 400)


async def test_a_room_needs_a_key_for_daily(http: httpx.AsyncClient):
    assert "DAILY_API_KEY" in refusal(await http.get("/daily"), 400)


async def test_a_full_server_says_so_at_once_and_when_to_come_again(http: httpx.AsyncClient):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(SLOTS):
            await stack.enter_async_context(accepted(http))
        begun_s = time.monotonic()
        answer = await http.post("/start")
        assert time.monotonic() - begun_s < 0.5
        assert "busy" in refusal(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0


# --- the routes of a session --------------------------------------------------------------------

ROUTES = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/api/offer"),
    ("PATCH", "/api/offer"),
]
OFFER = {"sdp": "v=0", "type": "offer", "pc_id": "x", "candidates": []}


def ids(run_dir: Path) -> dict[str, tuple[str, int]]:
    """Session ids that are no good, and what comes of them."""
    ours, theirs = (run_dir / SECRET_FILE).read_bytes(), b"x" * 32
    early = SessionIds(ours, time_s=lambda: time.time() - 3600).issue()
    value, stamp, signature = SessionIds(ours).issue().split(".")
    return {
        "another's": (SessionIds(theirs).issue(), 403),
        "no signature": (value, 403),
        "another time": (f"{value}.{early.split('.')[1]}.{signature}", 403),
        "another session": (f"{'0' * 32}.{stamp}.{signature}", 403),
        "not of this world": ("%F0%9F%98%80", 403),
        "expired": (early, 410),
        "endless": ("x" * 5000, 400),
    }


@pytest.mark.parametrize(
    "which",
    ["another's", "no signature", "another time", "another session", "expired", "endless"]
    + ["not of this world"],
)
async def test_a_session_id_that_is_not_good_opens_nothing(
    http, server: Server, run_dir: Path, which: str
):
    session_id, status = ids(run_dir)[which]
    for method, path in ROUTES:
        body = None if method in ("GET", "DELETE") else OFFER
        answer = await http.request(method, f"/sessions/{session_id}{path}", json=body)
        refusal(answer, status)
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"{server.url.replace('http', 'ws')}/ws-client/{session_id}")
    # A door of its own, which has no bound to the address but that of ids.
    assert caught.value.response.status_code == (403 if status == 400 else status)


async def test_a_good_id_of_a_session_that_nobody_knows(http: httpx.AsyncClient, run_dir: Path):
    url = f"/sessions/{SessionIds((run_dir / SECRET_FILE).read_bytes()).issue()}"
    assert "not running" in refusal(await http.get(url), 404)
    assert "not running" in refusal(
        await http.patch(f"{url}/api/offer", json={"pc_id": "x", "candidates": []}), 404
    )
    assert "start another" in refusal(
        await http.post(f"{url}/api/offer", json={"sdp": "v=0", "type": "offer"}), 409
    )
    assert (await http.delete(url)).status_code == 204


async def test_an_offer_begins_the_call_and_a_second_one_does_not(http: httpx.AsyncClient):
    async with accepted(http) as session_id:
        url = f"/sessions/{session_id}/api/offer"
        answer = await http.post(url, json=await an_offer())
        assert answer.status_code == 200
        assert answer.json()["type"] == "answer" and "m=audio" in answer.json()["sdp"]
        assert "begun" in refusal(await http.post(url, json=await an_offer()), 409)
        found = {"candidate": "candidate:1 1 UDP 1 127.0.0.1 9 typ host", "sdp_mid": "0"}
        candidates = [{**found, "sdp_mline_index": 0}]
        pc_id = answer.json()["pc_id"]
        added = await http.patch(url, json={"pc_id": pc_id, "candidates": candidates})
        assert added.json() == {"status": "success"}
        refusal(await http.patch(url, json={"pc_id": "x", "candidates": candidates}), 404)
        candidates[0]["candidate"] = "candidate: nonsense"
        refusal(await http.patch(url, json={"pc_id": pc_id, "candidates": candidates}), 400)
        assert (await http.get(f"/sessions/{session_id}")).json() == {"state": "running"}


async def test_of_two_offers_at_once_one_begins_the_call(http: httpx.AsyncClient):
    async with accepted(http) as session_id:
        url, offered = f"/sessions/{session_id}/api/offer", await an_offer()
        answers = await asyncio.gather(*(http.post(url, json=offered) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


@pytest.mark.parametrize("sdp", ["", "x", "v=0\r\n", "v=0\r\nm=audio\r\n", "m=\x00", "é" * 100_000])
async def test_a_broken_offer_is_refused_and_its_slot_is_free(http: httpx.AsyncClient, sdp: str):
    async with accepted(http) as session_id:
        url = f"/sessions/{session_id}/api/offer"
        told = refusal(await http.post(url, json={"sdp": sdp, "type": "offer"}), 400)
        assert "offer" in told
        state = (await http.get(f"/sessions/{session_id}", params={"wait_s": 10})).json()
        assert state["state"] == "ended"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"type": "offer"}, "sdp is missing; for example"),
        ({"sdp": "v=0", "type": "answer"}, "type must be 'offer'"),
        ({"sdp": 7, "type": "offer"}, "sdp can't be used"),
        ({"sdp": "x" * 200_001, "type": "offer"}, "sdp can't be used"),
        ({"sdp": "v=0", "type": "offer", "pc_id": "x" * 201}, "pc_id can't be used"),
    ],
)
async def test_an_offer_that_is_none_costs_the_call_nothing(http, body: dict, sentence: str):
    async with accepted(http) as session_id:
        url = f"/sessions/{session_id}/api/offer"
        assert sentence in refusal(await http.post(url, json=body), 400)
        assert (await http.post(url, json=await an_offer())).status_code == 200


async def test_who_asks_is_told_when_a_session_has_ended_and_why(http: httpx.AsyncClient):
    async with accepted(http) as session_id:
        url = f"/sessions/{session_id}"
        await http.post(f"{url}/api/offer", json=await an_offer())
        assert (await http.get(url, params={"wait_s": 0.1})).json() == {"state": "running"}
        waiting = asyncio.create_task(http.get(url, params={"wait_s": 20}))
        assert (await http.delete(url)).status_code == 204
        told = (await waiting).json()
        assert told == {"state": "ended", "reason": "finished", "text": "The call is over."}
        assert "over" in refusal(await http.patch(f"{url}/api/offer", json=OFFER), 404)
        assert "is over" in refusal(await http.post(f"{url}/api/offer", json=OFFER), 410)
        first = {"sdp": "v=0", "type": "offer"}
        assert "start another" in refusal(await http.post(f"{url}/api/offer", json=first), 409)


@pytest.mark.parametrize("wait_s", ["-1", "26", "nan", "inf", "soon"])
async def test_nobody_waits_for_ever(http: httpx.AsyncClient, wait_s: str):
    async with accepted(http) as session_id:
        answer = await http.get(f"/sessions/{session_id}", params={"wait_s": wait_s})
        assert "wait_s can't be used" in refusal(answer, 400)


# --- WebSockets ---------------------------------------------------------------------------------


async def denied(server: Server, path: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await connect(server.url.replace("http", "ws") + path)
    response = caught.value.response
    return response.status_code, bytes(response.body or b"").decode()


async def test_a_websocket_is_let_in_once(http: httpx.AsyncClient, server: Server):
    started = (await http.post("/start", json={"transport": "websocket"})).json()
    async with connect(started["wsUrl"]):
        status, told = await denied(server, f"/ws-client/{started['sessionId']}")
        assert status == 409 and "begun" in told
    ended = await http.get(f"/sessions/{started['sessionId']}", params={"wait_s": 10})
    assert ended.json()["state"] == "ended"


async def test_a_call_comes_in_the_way_for_which_it_was_accepted(http, server: Server):
    async with accepted(http) as session_id:
        status, told = await denied(server, f"/ws-client/{session_id}")
        assert status == 409 and "webrtc" in told
    async with accepted(http, transport="websocket") as session_id:
        url = f"/sessions/{session_id}/api/offer"
        assert "websocket" in refusal(await http.post(url, json=await an_offer()), 409)


@pytest.mark.parametrize("path", ["/ws-client", "/ws"])
async def test_a_full_server_refuses_websockets_too(http, server: Server, path: str):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(SLOTS):
            await stack.enter_async_context(accepted(http))
        status, told = await denied(server, path)
        assert status == 503 and "busy" in told


# --- the server itself --------------------------------------------------------------------------


async def test_it_tells_how_it_is(http: httpx.AsyncClient):
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json() == {"status": "ready"}
    assert (await http.get("/status")).json() == {
        "status": "ready",
        "transports": ["webrtc", "websocket"],
    }


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/x", 404), ("GET", "/start", 405)])
async def test_what_is_not_there_is_told_in_the_same_form(http, method, path, status):
    refusal(await http.request(method, path), status)


async def test_the_openapi_tells_of_every_route_and_what_it_refuses(http: httpx.AsyncClient):
    schema = (await http.get("/openapi.json")).json()
    told = {
        (method.upper(), path): set(operation["responses"])
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    assert told[("POST", "/start")] >= {"200", "400", "429", "503"}
    for method, path in ROUTES:
        assert told[(method, f"/sessions/{{session_id}}{path}")] >= {"400", "403", "410"}
    assert {("GET", path) for path in ("/healthz", "/readyz", "/status", "/daily")} <= told.keys()
    assert not any("422" in statuses for statuses in told.values())


def test_nothing_of_all_this_was_the_servers_fault_and_nothing_is_left(
    server: Server, run_dir: Path
):
    """All that the tests above have asked is in its log."""
    assert "Traceback" not in server.log()
    left = {path.name for path in run_dir.iterdir() if path.suffix not in (".ended", ".stacks")}
    assert {name for name in left if not name.startswith("spare")} == {SECRET_FILE, "server.sock"}
