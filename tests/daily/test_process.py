"""The stand-in as a process of its own, controlled from outside."""

import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from pipeline.settings import ROOT
from tests.daily.support import CALLER, NUMBER, webhook
from understudy.daily import Phone


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where it is."""
    options = ["--port", "0", "--api-key", "key", "--until-eof", "--number", "+15550100"]
    process = subprocess.Popen(
        [sys.executable, "-m", "understudy.daily", *options, "--webhook", "http://127.0.0.1:9/"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    with process.stdin as stdin, process.stdout as stdout:
        name, ready, url = stdout.readline().split()
        assert (name, ready) == ("daily", "ready")
        yield url
        stdin.close()
        assert process.wait(timeout=5) == 0


async def test_its_number_rings(url: str):
    async with await Phone(url).dial("+15550100", caller=CALLER) as call:
        await call.until(lambda: call.state == "on hold", within_s=3)


async def test_it_is_told_what_to_do(url: str):
    site = url.removesuffix("/v1")
    headers = {"Authorization": "Bearer key"}
    async with aiohttp.ClientSession(headers=headers) as http, webhook() as server:
        number = {"number": NUMBER, "webhook_url": server.url}
        for what, body in (
            ("fail", {"what": "POST /rooms", "status": 503}),
            ("numbers", number),
            ("called", {"number": "+15557777", "does": "busy"}),
        ):
            async with http.post(f"{site}/control/{what}", json=body) as answer:
                assert answer.status == 200, await answer.text()
        async with http.post(f"{url}/rooms", json={}) as answer:
            assert answer.status == 503
        async with await Phone(url).dial(NUMBER, caller=CALLER):
            await server.came.wait()
        async with http.get(f"{site}/control/records") as answer:
            events = {record["event"] for record in (await answer.json())["answer"]}
        assert {"request", "call", "webhook"} <= events


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, {"what": "join"}, 403),
        ({}, {"whatever": 1}, 400),
        ({}, {"what": "join", "unknown": 1}, 400),
    ],
)
async def test_no_web_page_and_no_nonsense(
    url: str, headers: dict[str, str], body: dict, status: int
):
    site = url.removesuffix("/v1")
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{site}/control/fail", json=body, headers=headers) as answer,
    ):
        assert answer.status == status
        assert (await answer.json())["error"]
