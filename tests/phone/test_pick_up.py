"""A caller on hold is picked up, patiently where Daily stumbles and not beyond its time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pipeline.phone import pick_up as module
from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.pick_up import PickUpError, pick_up
from pipeline.settings import Settings

KEY = "a-key-that-nobody-may-see"
CALL = PhoneCall(provider=Provider.DAILY, call_id="c1", call_domain="d1")


@dataclass
class Api:
    """Daily's API, as far as picking up goes; answers in turn, and the last one again and again."""

    answers: list[Callable[[], Any]]
    url: str = ""
    asked: list[tuple[float, dict, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        told = request.headers["Authorization"]
        self.asked.append((time.monotonic(), await request.json(), told))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        made = answer()
        return await made if asyncio.iscoroutine(made) else made


@contextlib.asynccontextmanager
async def api(*answers: Callable[[], Any]) -> AsyncIterator[Api]:
    serving = Api([*answers])
    app = web.Application()
    app.router.add_post("/v1/dialin/pinlessCallUpdate", serving.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    serving.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield serving
    finally:
        await runner.cleanup()


def settings(url: str, key: str | None = KEY) -> Settings:
    return Settings.model_validate({"DAILY_API_URL": url, "DAILY_API_KEY": key})


async def try_it(serving: Api, *, within_s: float = 5.0) -> None:
    await pick_up(
        CALL, sip_address="sip:room@daily", settings=settings(serving.url), within_s=within_s
    )


def ok() -> web.Response:
    return web.json_response({"ok": True})


def status(code: int, **headers: str) -> Callable[[], web.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response({"error": "no"}, status=code, headers=named)


async def test_daily_is_told_which_call_belongs_to_which_room():
    async with api(ok) as serving:
        await try_it(serving)
    ((_, asked, told),) = serving.asked
    assert asked == {"callId": "c1", "callDomain": "d1", "sipUri": "sip:room@daily"}
    assert told == f"Bearer {KEY}"


@pytest.mark.parametrize("code", [429, 500, 502, 503])
async def test_what_may_pass_is_tried_again(code):
    async with api(status(code), status(code), ok) as serving:
        await try_it(serving)
    assert len(serving.asked) == 3


@pytest.mark.parametrize("code", [400, 401, 404])
async def test_what_will_not_pass_is_not(code):
    async with api(status(code)) as serving:
        with pytest.raises(PickUpError, match=f"Daily refuses to connect the call: {code}") as told:
            await try_it(serving)
    assert len(serving.asked) == 1 and KEY not in str(told.value)


async def test_daily_may_say_how_long_to_wait():
    async with api(status(429, Retry_After="1"), ok) as serving:
        await try_it(serving)
    (first_s, *_), (second_s, *_) = serving.asked
    assert second_s - first_s >= 1


async def test_it_is_not_tried_beyond_the_time_and_the_last_reason_is_told():
    async with api(status(503)) as serving:
        began_s = time.monotonic()
        with pytest.raises(PickUpError, match="503"):
            await try_it(serving, within_s=1.5)
    assert time.monotonic() - began_s < 2
    assert len(serving.asked) >= 2


async def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(module, "TRY_S", 0.2)

    async def never() -> web.Response:
        await asyncio.sleep(30)
        return ok()

    async with api(never, ok) as serving:
        await try_it(serving)
        assert len(serving.asked) == 2
    async with api(never) as serving:
        monkeypatch.setattr(module, "TRY_S", 30)
        with pytest.raises(PickUpError, match="in time"):
            await try_it(serving, within_s=0.3)


async def test_a_server_that_is_not_there_is_tried_again_and_told_without_the_key():
    with pytest.raises(PickUpError, match="Daily can't be reached") as told:
        await pick_up(
            CALL,
            sip_address="sip:room@daily",
            settings=settings("http://127.0.0.1:9/v1"),
            within_s=1.0,
        )
    assert KEY not in repr(told.value)


async def test_without_a_key_nothing_is_tried():
    with pytest.raises(PickUpError, match="DAILY_API_KEY is missing"):
        await pick_up(CALL, sip_address="s", settings=settings("http://127.0.0.1:9/v1", None))
