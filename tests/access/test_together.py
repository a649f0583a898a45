"""All of access before one small application, under a real uvicorn, in the right order."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets
from fastapi import FastAPI, Request, WebSocket
from fastapi.staticfiles import StaticFiles

from serving.access.callers import Callers
from serving.access.middleware import FAULT, add_access, caller_of
from serving.access.origins import Origins
from serving.access.page_headers import HEADERS
from serving.page import PAGE_DIR
from tests.access.support import KEY, served, settings, talk

FRIEND = "https://www.example.com"
EVIL = "https://evil.example"
BEARER = {"Authorization": f"Bearer {KEY}"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
STARTED = {"caller": "key:website"}


@pytest.fixture
def seen() -> list[str]:
    """What came as far as the application."""
    return []


@pytest.fixture
async def url(seen) -> AsyncIterator[str]:
    own = settings(
        SALON_API_KEYS=f"website:{KEY}",
        SALON_ALLOWED_ORIGINS=FRIEND,
        SALON_KEY_STARTS_PER_MINUTE=5,
    )
    app = FastAPI()

    @app.post("/start")
    async def start(request: Request) -> dict[str, str]:
        seen.append("start")
        await request.body()
        return {"caller": str(caller_of(request.scope))}

    @app.get("/api/salon")
    async def about() -> dict:
        return {}

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a fault")

    @app.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        seen.append("ws")
        await socket.accept()
        await socket.close()

    app.mount("/assets", StaticFiles(directory=PAGE_DIR / "assets"))
    callers = Callers(own)
    add_access(app, origins=Origins.of(own, "127.0.0.1"), callers=callers)
    async with served(app) as url:
        yield url
    await callers.aclose()


@pytest.fixture
async def client(url) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


def told(answer: httpx.Response) -> str:
    return answer.json()["detail"]


async def test_who_has_a_key_starts_a_call(client):
    answer = await client.post("/start", headers=BEARER, json={})
    assert (answer.status_code, answer.json()) == (200, STARTED)


async def test_who_has_none_does_not(client, seen):
    answer = await client.post("/start", json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert seen == []


async def test_who_starts_too_many_waits(client):
    answers = [await client.post("/start", headers=BEARER) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "12"


@pytest.mark.parametrize(
    "path", ["/start", "/api/salon", "/nowhere", "/assets/icon.svg", "/broken", "/start/"]
)
@pytest.mark.parametrize("origin", [{}, {"Origin": EVIL}, {"Origin": FRIEND}])
async def test_every_answer_tells_browsers_how_to_treat_it(client, path, origin):
    for method in ("GET", "POST", "OPTIONS"):
        answer = await client.request(method, path, headers=origin)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_a_fault_is_told_without_what_it_was(client):
    answer = await client.get("/broken")
    assert (answer.status_code, answer.json()) == (500, {"detail": FAULT})


async def test_answers_are_not_kept_but_the_pages_files_may_be(client):
    for path in ("/api/salon", "/start", "/nowhere"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await client.get("/assets/icon.svg")).headers


async def test_a_page_that_is_allowed_may_ask_call_and_read_why_not(client):
    origin = {"Origin": FRIEND}
    answer = await client.options("/start", headers={**origin, **PREFLIGHT})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed and "x-goog-api-key" in allowed
    for headers, status in ((BEARER, 200), ({}, 401)):
        answer = await client.post("/start", headers={**origin, **headers})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == FRIEND
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_that_is_allowed_can_read_that_it_sent_too_much(client):
    answer = await client.post(
        "/start", headers={"Origin": FRIEND, **BEARER}, content=b"x" * 70_000
    )
    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == FRIEND


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1"])
async def test_a_page_from_elsewhere_may_neither_ask_nor_call_nor_read(client, seen, origin):
    headers = {"Origin": origin, **BEARER}
    asked = await client.options("/start", headers={**headers, **PREFLIGHT})
    called = await client.post("/start", headers=headers)
    assert (asked.status_code, called.status_code) == (403, 403)
    read = await client.get("/api/salon", headers=headers)
    for answer in (asked, called, read):
        assert "access-control-allow-origin" not in answer.headers
    assert seen == []


async def test_the_servers_own_page_needs_no_permission(url, client):
    answer = await client.post("/start", headers={"Origin": url, **BEARER})
    assert answer.json() == STARTED


async def test_a_foreign_name_is_refused_before_anything_else(client, seen):
    headers = {"Host": "evil.example", "Origin": "http://evil.example", **BEARER}
    for method, path in (("POST", "/start"), ("GET", "/api/salon"), ("GET", "/assets/icon.svg")):
        assert (await client.request(method, path, headers=headers)).status_code == 421
    assert seen == []


async def test_what_a_stranger_sends_is_not_read(url, seen):
    """Neither of them waits for a body that never comes."""
    for more, status in ((b"Origin: https://evil.example\r\n", b"403"), (b"", b"401")):
        answer = await talk(
            url,
            b"POST /start HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n"
            + more
            + b"\r\n",
            until_closed=False,
        )
        assert answer.startswith(b"HTTP/1.1 " + status)
    assert seen == []


async def test_a_body_that_is_too_long_costs_nobody_a_start(client):
    for _ in range(8):
        answer = await client.post("/start", headers=BEARER, content=b"x" * 70_000)
        assert answer.status_code == 413
    assert (await client.post("/start", headers=BEARER)).status_code == 200


async def test_a_web_socket_is_for_the_servers_own_page(url, seen):
    address = url.replace("http", "ws") + "/ws"
    for origin in (None, url, FRIEND):
        own = websockets.Origin(origin) if origin else None
        async with websockets.connect(address, origin=own, proxy=None, additional_headers=BEARER):
            pass
    assert seen == ["ws"] * 3
    with pytest.raises(websockets.InvalidStatus) as error:
        await websockets.connect(address, proxy=None)
    assert error.value.response.status_code == 401
    with pytest.raises(websockets.InvalidStatus) as error:
        await websockets.connect(address, origin=websockets.Origin(EVIL), proxy=None)
    assert error.value.response.status_code == 403
    assert seen == ["ws"] * 3


async def test_a_raw_connection_is_refused_with_the_same_words(client):
    """As a protocol does that hands WebSockets over before any application runs."""
    from serving.refused import Refused

    origins = Origins(origins=[FRIEND])
    headers = [(b"host", b"127.0.0.1"), (b"origin", EVIL.encode()), (b"upgrade", b"websocket")]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            origins.check("GET", "/ws", headers, "127.0.0.1")
        except Refused as error:
            writer.write(error.http())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        raw = await talk(f"http://127.0.0.1:{port}", b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    asked = await client.post("/start", headers={"Origin": EVIL})
    assert json.loads(body) == asked.json()
