"""Bounds of requests, over real connections to a real uvicorn."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, UploadFile
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from serving.access import bodies
from serving.access.bodies import (
    MAX_HEAD_BYTES,
    OFFER,
    PICTURE,
    USUAL,
    BodyLimit,
    BodyLimits,
    limit_for,
)
from tests.access.support import served, talk

TOO_LARGE = {"detail": "The body of this request may have 64 KB at most."}


@pytest.fixture
def seen() -> list:
    """What the application's routes saw."""
    return []


@pytest.fixture
async def url(seen) -> AsyncIterator[str]:
    app = FastAPI()

    @app.post("/start")
    async def start(request: Request) -> int:
        seen.append("called")
        try:
            body = await request.body()
        except ClientDisconnect:
            seen.append("gone")
            raise
        seen.append(len(body))
        return len(body)

    @app.post("/json")
    async def parsed(body: dict) -> list[str]:
        seen.append("called")
        return list(body)

    @app.post("/sessions/{session}/files")
    async def files(file: UploadFile) -> int:
        return len(await file.read())

    @app.post("/sessions/{session}/api/offer")
    async def offer(request: Request) -> int:
        return len(await request.body())

    @app.post("/late")
    async def late(request: Request) -> StreamingResponse:
        await request.body()

        async def counted():
            yield b"begun "
            await asyncio.sleep(0.3)
            yield b"ended"

        return StreamingResponse(counted())  # it listens whether the client leaves

    @app.post("/early")
    async def early(request: Request) -> StreamingResponse:
        async def counted():
            yield b"begun "
            with pytest.raises(ClientDisconnect):
                async for _ in request.stream():
                    pass
            seen.append("gone")

        return StreamingResponse(counted())

    app.add_middleware(BodyLimits)
    async with served(app) as url:
        yield url


@pytest.fixture
async def client(url) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


async def in_parts(count: int, size: int = 1024) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


@pytest.mark.parametrize("size", [0, 1, USUAL.max_bytes])
async def test_a_body_within_its_bound_comes_whole(client, size):
    assert (await client.post("/start", content=b"x" * size)).json() == size
    assert (await client.post("/start", content=in_parts(1, size))).json() == size


async def test_a_body_that_says_it_is_too_long_reaches_nobody(client, seen):
    answer = await client.post("/start", content=b"x" * (USUAL.max_bytes + 1))
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
    assert answer.headers["connection"] == "close"
    assert seen == []


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(client, seen, caplog):
    answer = await client.post("/start", content=in_parts(65))
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
    assert seen == ["called", "gone"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_a_route_makes_of_half_a_body_is_not_the_answer(client, seen):
    """FastAPI answers 400 when it can't read a body to its end."""
    answer = await client.post("/json", content=in_parts(65))
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
    assert seen == []


async def test_a_client_that_sends_far_too_much_still_reads_why(client):
    for content in (b"x" * 30_000_000, in_parts(3000, 10_000)):
        answer = await client.post("/start", content=content)
        assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


async def test_an_offer_may_be_longer_than_other_bodies(client):
    path = "/sessions/some.signed.id/api/offer"
    assert (await client.post(path, content=b"x" * OFFER.max_bytes)).json() == OFFER.max_bytes
    assert (await client.post(path, content=b"x" * (OFFER.max_bytes + 1))).status_code == 413


async def test_a_picture_of_the_largest_size_is_taken_and_no_larger(client):
    path, largest = "/sessions/some.signed.id/files", PICTURE.max_bytes - 64 * 1024
    answer = await client.post(path, files={"file": b"x" * largest})
    assert answer.json() == largest
    answer = await client.post(path, files={"file": b"x" * PICTURE.max_bytes})
    assert answer.status_code == 413
    assert answer.json() == {"detail": "The body of this request may have 20544 KB at most."}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/start", USUAL),
        ("/sessions/a/api/offer", OFFER),
        ("/api/offer", OFFER),
        ("/sessions/a/files", PICTURE),
        ("/sessions/a/b/files", USUAL),
        ("/sessions/a/files/b", USUAL),
        ("/files", USUAL),
    ],
)
def test_which_bound_a_path_has(path, limit):
    assert limit_for(path) is limit


async def test_a_body_that_comes_too_slowly_is_not_waited_for(url, seen, monkeypatch):
    monkeypatch.setattr(bodies, "USUAL", BodyLimit(max_bytes=1024, within_s=0.2))
    for head in (b"Content-Length: 9", b"Transfer-Encoding: chunked"):
        begun = b"POST /start HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n"
        answer = await talk(url, begun)
        status, _, rest = answer.partition(b"\r\n")
        assert status == b"HTTP/1.1 408 Request Timeout"
        assert json.loads(rest.rpartition(b"\r\n")[2]) == {
            "detail": "The request's body came too slowly."
        }
    assert seen == ["called", "gone"] * 2


async def test_one_byte_at_a_time_does_not_move_the_deadline(url, monkeypatch):
    monkeypatch.setattr(bodies, "USUAL", BodyLimit(max_bytes=1024, within_s=0.2))
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /start HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    answer = asyncio.create_task(reader.readline())
    async with asyncio.timeout(5):
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
    assert answer.result() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()


async def test_an_answer_may_take_longer_than_its_question(client, monkeypatch):
    monkeypatch.setattr(bodies, "USUAL", BodyLimit(max_bytes=1024, within_s=0.2))
    answer = await client.post("/late", content=b"x")
    assert (answer.status_code, answer.text) == (200, "begun ended")


async def test_an_answer_that_has_begun_ends_without_a_second_one(client, seen):
    answer = await client.post("/early", content=in_parts(70))
    assert (answer.status_code, answer.text) == (200, "begun ")
    assert seen == ["gone"]


async def test_a_client_that_only_waits_to_be_asked_is_told_at_once(url):
    answer = await talk(
        url,
        b"POST /start HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n",
        until_closed=False,
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_leaves_is_not_an_error(url, seen, caplog):
    begun = b"POST /start HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(begun)
    async with asyncio.timeout(5):
        while "called" not in seen:
            await asyncio.sleep(0.01)
        writer.close()
        while "gone" not in seen:
            await asyncio.sleep(0.01)
    assert seen == ["called", "gone"]


@pytest.mark.parametrize("where", ["path", "header", "headers"])
async def test_a_head_is_bounded_by_the_parser(url, seen, where, caplog):
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    long = b"x" * 2 * MAX_HEAD_BYTES  # the parser may take more when it comes in one read
    head = {
        "path": b"POST /start?" + long + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        "header": b"POST /start HTTP/1.1\r\nHost: a\r\nX-A: " + long + b"\r\n\r\n",
        "headers": b"POST /start HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 9999 + b"\r\n",
    }[where]
    answer = await talk(url, head[: MAX_HEAD_BYTES + 100])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert seen == []


async def test_uvicorns_own_protocol_bounds_no_head():
    """When this fails, uvicorn's httptools has got a bound, and may be used as it is."""
    app = FastAPI()
    app.get("/")(lambda: "read")
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"x" * 1_000_000 + b"\r\n\r\n"
    async with served(app, http="httptools", h11_max_incomplete_event_size=None) as url:
        assert (await talk(url, head, until_closed=False)).startswith(b"HTTP/1.1 200 OK")
