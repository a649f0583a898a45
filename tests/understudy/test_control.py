"""The control endpoint: what it does, and how it refuses."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.genai import errors

from tests.understudy.test_conformance import session, wait_for_event
from understudy import Understudy
from understudy.control import summaries
from understudy.faults import FAULTS


@pytest.fixture
async def understudy() -> AsyncIterator[Understudy]:
    async with Understudy(control_port=0) as running:
        yield running


async def raw(understudy: Understudy, request: bytes) -> tuple[int, Any]:
    port = int(understudy.control_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(3):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def ask(
    understudy: Understudy, method: str, path: str, body: Any = None, *headers: str
) -> tuple[int, Any]:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(data)}"]
    lines += headers or ("Host: 127.0.0.1:1234",)
    return await raw(understudy, "\r\n".join([*lines, "", ""]).encode() + data)


async def ended(live) -> str:
    with pytest.raises(errors.APIError) as caught:
        async with asyncio.timeout(5):
            while True:
                async for _ in live.receive():
                    pass
    return str(caught.value)


async def test_faults_are_listed_with_their_documentation(understudy):
    status, answer = await ask(understudy, "GET", "/faults")
    assert status == 200
    assert answer["on"] == []
    assert [fault["name"] for fault in answer["faults"]] == list(FAULTS)
    (quota,) = (fault for fault in answer["faults"] if fault["name"] == "quota")
    assert quota["what"] == "Closes with 1011, the quota is used up: no use in trying again."
    assert quota["parameters"]["code"] == 1011


async def test_a_fault_is_switched_on_and_off(understudy):
    async with session(understudy) as live:
        wanted = {"name": "quota", "parameters": {"reason": "Enough."}}
        status, answer = await ask(understudy, "POST", "/faults", wanted)
        assert status == 200
        assert answer["moment"]["at"] == "after-setup"
        assert await ended(live) == "1011 None. Enough."
    async with session(understudy) as live:
        assert await ended(live) == "1011 None. Enough."
    (on,) = (await ask(understudy, "GET", "/faults"))[1]["on"]
    assert (on["name"], on["struck"]) == ("quota", 2)
    assert await ask(understudy, "DELETE", "/faults/quota") == (200, {"switched_off": 1})
    async with session(understudy) as live:
        await live.send_realtime_input(text="hi")
        async for message in live.receive():
            if message.data:
                break
    await ask(understudy, "POST", "/faults", {"name": "rst", "moment": "speaking"})
    assert await ask(understudy, "DELETE", "/faults") == (200, {"switched_off": 1})


@pytest.mark.parametrize(
    ("what", "body", "error"),
    [
        ("close", None, "1011 None. Internal error encountered."),
        ("close", {"code": 1008, "reason": "Bye."}, "1008 None. Bye."),
        ("goaway", {"left_s": 0}, "1008 None. The operation was aborted."),
    ],
)
async def test_one_session_is_ended(understudy, what, body, error):
    async with session(understudy) as live, session(understudy) as other:
        assert (await ask(understudy, "POST", f"/sessions/s1/{what}", body))[0] == 200
        assert await ended(live) == error
        await other.send_realtime_input(text="hi")
        await wait_for_event(understudy, "text")
    assert (await ask(understudy, "POST", f"/sessions/s1/{what}"))[0] == 404


async def test_sessions_say_what_they_heard(understudy):
    async with session(understudy) as live:
        await live.send_realtime_input(text="Good morning")
        await wait_for_event(understudy, "answer")
        (one,) = (await ask(understudy, "GET", "/sessions"))[1]["sessions"]
    assert one["id"] == "s1" and one["is_open"] and one["profile"] == "3.8"
    assert one["last_text"] == "Good morning"
    assert one["last_answer"] == "You typed: Good morning."
    assert one["events"] == {"text": 1, "answer": 1}


def test_a_summary_of_an_ended_session():
    records = [
        {"session": "s1", "event": "audio", "ms": 20, "rate": 16000, "dbfs": -60},
        {"session": "s1", "event": "audio", "ms": 20, "rate": 16000, "dbfs": -60},
        {"session": "s1", "event": "closed", "code": 1000, "reason": ""},
    ]
    (summary,) = summaries(records)
    assert summary["audio_in_ms"] == 40
    assert not summary["is_open"]
    assert summary["closed"] == {"code": 1000, "reason": ""}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/", None, 404, "There are GET, POST and DELETE /faults"),
        ("PUT", "/faults", None, 405, "There are GET, POST and DELETE /faults"),
        ("GET", "/sessions/s1/close", None, 405, "There are GET, POST"),
        ("POST", "/sessions/s9/close", None, 404, "No session 's9' is running."),
        ("POST", "/sessions/s9/close", {"kode": 1}, 400, "The body has to be an object of code"),
        ("POST", "/faults", b"{", 400, "The body has to be JSON."),
        ("POST", "/faults", [], 400, "The body has to be an object of name, parameters, moment."),
        ("POST", "/faults", {}, 400, "name has to be a fault's name; see GET /faults."),
        ("POST", "/faults", {"name": "quotta"}, 400, "there is no fault 'quotta'"),
        ("POST", "/faults", {"name": "rst", "parameters": 3}, 400, "parameters has to be"),
        ("POST", "/faults", {"name": "rst", "moment": 3}, 400, "fault rst: a moment is a word"),
        (
            "POST",
            "/faults",
            {"name": "rst", "moment": "noon"},
            400,
            "fault rst: there is no moment",
        ),
        ("POST", "/faults", b"x" * 70_000, 413, "A body has 65536 bytes at most."),
        ("DELETE", "/faults/rst", None, 404, "No fault 'rst' is on."),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(understudy, method, path, body, status, error):
    answer = await ask(understudy, method, path, body)
    assert answer[0] == status
    assert answer[1]["error"].startswith(error)


async def test_web_pages_are_refused(understudy):
    for headers in (("Host: evil.example",), ("Host: 127.0.0.1", "Origin: https://evil.example")):
        assert (await ask(understudy, "DELETE", "/faults", None, *headers))[0] == 403


async def test_what_is_no_request_is_refused_and_ends_nothing(understudy):
    assert (await raw(understudy, b"nonsense\r\n\r\n"))[0] == 400
    assert (await raw(understudy, b"x" * 20_000))[0] == 400
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(understudy.control_url.rpartition(":")[2])
    )
    writer.write(b"GET /faults HTTP/1.1\r\n")
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    assert (await ask(understudy, "GET", "/sessions"))[0] == 200
    writer.close()
    assert reader
