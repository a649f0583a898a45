"""A full server says so at once, and only as long as it is full."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

from serving.access.bodies import MAX_HEAD_BYTES
from serving.http_protocol import HttpProtocol
from serving.refused import Refused
from serving.turnstile import KNOWN_S, Turnstile, TurnstileMiddleware

FULL = Refused(503, "All lines are busy.", {"Retry-After": "30"})


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_who_asks_is_looked_at_until_somebody_was_refused():
    turnstile = Turnstile(Clock())
    assert turnstile.refused is None
    turnstile.close(FULL)
    assert turnstile.refused is FULL


def test_what_was_known_is_looked_at_again_after_a_while():
    clock = Clock()
    turnstile = Turnstile(clock)
    turnstile.close(FULL)
    clock.now_s += KNOWN_S - 0.01
    assert turnstile.refused is FULL
    clock.now_s += 0.02
    assert turnstile.refused is None


def test_a_slot_that_becomes_free_opens_it_at_once():
    turnstile = Turnstile(Clock())
    turnstile.close(FULL)
    turnstile.open()
    assert turnstile.refused is None


@contextlib.asynccontextmanager
async def served(app) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to an app behind the server's HTTP protocol."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=HttpProtocol, loop="none", log_config=None)
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # pyright: ignore - they are pytest's
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            yield reader, writer
            writer.close()
        finally:
            server.should_exit = True
            await serving


def app_behind(turnstile: Turnstile) -> TurnstileMiddleware:
    app = FastAPI()

    @app.post("/start")
    @app.get("/start")
    @app.post("/other")
    async def route() -> str:
        return "looked at"

    return TurnstileMiddleware(app, turnstile)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("POST /start", 503), ("GET /start", 200), ("POST /other", 200)],
)
async def test_only_who_asks_for_a_session_is_turned_away(request_line, status):
    turnstile = Turnstile(Clock())
    turnstile.close(FULL)
    async with served(app_behind(turnstile)) as (reader, writer):
        head = f"{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.read()).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("retry-after: 30" in answer) is (status == 503)


@pytest.mark.parametrize(("origin", "status"), [("http://x", 503), ("https://other", 200)])
async def test_a_page_from_elsewhere_goes_on_to_who_can_answer_it(origin, status):
    turnstile = Turnstile(Clock())
    turnstile.close(FULL)
    async with served(app_behind(turnstile)) as (reader, writer):
        writer.write(f"POST /start HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(f"HTTP/1.1 {status} ".encode())


async def test_a_head_that_goes_on_and_on_is_cut_off():
    async with served(app_behind(Turnstile(Clock()))) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for _ in range(MAX_HEAD_BYTES // 1000 + 1):
            writer.write(b"X-More: " + 990 * b"x" + b"\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


async def test_a_body_may_be_longer_than_a_head():
    async with served(app_behind(Turnstile(Clock()))) as (reader, writer):
        for _ in range(2):  # and another request after it
            length = 2 * MAX_HEAD_BYTES
            writer.write(
                f"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
            )
            writer.write(length * b"x")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"looked at")
            await reader.readexactly(1)
