"""Every fault that ends or refuses a connection, as the unmodified google-genai sees it.

The exception, the close code and the whole reason; moments are early ones, so that none waits.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from websockets.exceptions import InvalidStatus

from tests.understudy.stage import CALL
from tests.understudy.support import picture
from tests.understudy.test_conformance import CONFIG, MODEL, next_handle, session, trust
from understudy import Understudy
from understudy.faults import FAULTS
from understudy.faults.base import Ending, Refusal

Drive = Callable[[Understudy], Awaitable[None]]

# What a client does until it is thrown out


async def receive(live: AsyncSession) -> None:
    async for _ in live.receive():
        pass


async def listen(understudy: Understudy) -> None:
    async with session(understudy) as live:
        await receive(live)


async def connect(understudy: Understudy) -> None:
    async with session(understudy):
        raise AssertionError("connected")


async def search(understudy: Understudy) -> None:
    tools = [types.Tool(google_search=types.GoogleSearch())]
    async with session(understudy, CONFIG.model_copy(update={"tools": tools})):
        raise AssertionError("connected")


async def ping(understudy: Understudy) -> None:
    """Listens as a client that pings every 50 ms, and not every 20 s."""
    pings = {"ping_interval": 0.05, "ping_timeout": 0.1, "close_timeout": 0.05}
    options = types.HttpOptions(
        base_url=understudy.base_url, async_client_args={"ssl": trust(understudy), **pings}
    )
    client = genai.Client(api_key="any", http_options=options)
    async with client.aio.live.connect(model=MODEL, config=CONFIG) as live:
        await receive(live)


async def speak(understudy: Understudy) -> None:
    async with session(understudy) as live:
        blob = types.Blob(data=bytes(640), mime_type="audio/pcm;rate=16000")
        await live.send_realtime_input(audio=blob)
        await receive(live)


async def return_from_call(understudy: Understudy) -> None:
    async with session(understudy) as live:
        result = types.FunctionResponse(id="call-0", name="lookup", response={"result": "ok"})
        await live.send_tool_response(function_responses=[result])
        await receive(live)


async def type_after_content(understudy: Understudy) -> None:
    async with session(understudy) as live:
        turn = types.Content(role="user", parts=[types.Part(text="Hello")])
        await live.send_client_content(turns=turn)
        await live.send_realtime_input(text="and this")
        await receive(live)


async def resume(understudy: Understudy, *, shows: bool = False, breaks: bool = False) -> None:
    async with session(understudy) as live:
        handle = await next_handle(live)
        if shows:
            frame = types.Blob(data=picture(size=(8, 8)), mime_type="image/jpeg")
            await live.send_realtime_input(video=frame)
        if breaks:
            understudy.inject("internal", moment={"at": "after-setup", "times": "once"})
            with pytest.raises(errors.APIError):
                await receive(live)
    resumption = types.SessionResumptionConfig(handle=handle)
    async with session(understudy, CONFIG.model_copy(update={"session_resumption": resumption})):
        raise AssertionError("connected")


async def resume_after_video(understudy: Understudy) -> None:
    await resume(understudy, shows=True)


async def resume_after_1011(understudy: Understudy) -> None:
    await resume(understudy, breaks=True)


# What it sees then


@dataclass(frozen=True)
class Case:
    """A fault, what the client does, and what that comes to; perhaps while a tool is running."""

    fault: str
    drive: Drive
    code: int
    reason: str = ""
    calls: bool = False


INVALID = "Request contains an invalid argument."
NOT_VALID = "API key not valid. Please pass a valid API key."
INTERNAL = "Internal error encountered."
ABORTED = "The operation was aborted."
DENIED = "Your project has been denied access. Please contact support."
NOT_FOUND = "Requested entity was not found."
NOT_IMPLEMENTED = "Operation is not implemented, or supported, or enabled."
UNAVAILABLE = "The service is currently unavailable."
NO_CLOSE = "abnormal closure [internal]"
"""The words of the client's own library for a connection that ended without a close frame."""
QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: h"
)

CLOSED = [
    Case("aborted:at=after-setup", listen, 1008, ABORTED),
    Case("access-denied", connect, 1008, DENIED),
    Case(
        "api-disabled",
        connect,
        1008,
        "Generative Language API has not been used in project 123456789 before or it is disabled.",
    ),
    Case(
        "audio-during-tool",
        speak,
        1007,
        "audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration",
        calls=True,
    ),
    Case("auth-mode:refuses=key", connect, 1007, NOT_VALID),
    Case("cancelled-1000:after_ms=20", listen, 1000, "The operation was cancelled."),
    Case("clean-close:at=after-setup", listen, 1000),
    Case("close:code=4001,reason=So long", listen, 4001, "So long"),
    Case("close-1011-after-setup", listen, 1011, INTERNAL),
    Case("close-after-tool-response", return_from_call, 1008, NOT_FOUND, calls=True),
    Case(
        "code-execution-image",
        listen,
        1008,
        "application/json isn't a supported MIME type.",
        calls=True,
    ),
    Case("context-exhausted:at=after-setup", listen, 1007, INVALID),
    Case(
        "credits",
        listen,
        1011,
        "Your prepayment credits are depleted. Please go to AI Studio at "
        "https://ai.studio/projects to manage your project and billi",
    ),
    Case("deadline:after_ms=20", listen, 1011, "Deadline expired before operation could complete."),
    Case("entity-not-found:at=after-setup", listen, 1008, NOT_FOUND),
    Case("first-audio-1007", speak, 1007, INVALID),
    Case("goaway:after_ms=20,left_s=0.02", listen, 1008, ABORTED),
    Case("goaway-close-code:after_ms=20,left_s=0.02", listen, 1011, INTERNAL),
    Case("interleave-1007", type_after_content, 1007, INVALID),
    Case("internal:at=after-setup", listen, 1011, INTERNAL),
    Case("internal-during-tool", listen, 1011, "Internal error occurred.", calls=True),
    Case("key-expired", connect, 1007, "API key expired. Please renew the API key."),
    Case("key-not-found", connect, 1007, "API Key not found. Please pass a valid API key."),
    Case("key-not-valid", connect, 1007, NOT_VALID),
    Case("not-implemented:at=after-setup", listen, 1008, NOT_IMPLEMENTED),
    Case("proxy-cap:after_ms=20", listen, 1008, "The operation was aborted"),
    Case("quota", listen, 1011, QUOTA),
    Case("reject-input-during-tool", speak, 1008, NOT_IMPLEMENTED, calls=True),
    Case("resume-fails-after-1011", resume_after_1011, 1007, INVALID),
    Case("resume-fails-after-video", resume_after_video, 1007, INVALID),
    Case("resume-refused", resume, 1007, "Invalid session handle"),
    Case("search-quota", search, 1011, QUOTA),
    Case("session-not-found", resume, 1008, "BidiGenerateContent session not found"),
    Case(
        "thread-cancelled:at=after-setup",
        listen,
        1011,
        "Thread was cancelled when writing StartStep status to channel.; Failed to close the "
        "streaming context; status = CANCELLED: ",
    ),
    Case("unavailable:at=after-setup", listen, 1011, UNAVAILABLE),
    Case(
        "unregistered-caller",
        connect,
        1008,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API c",
    ),
    Case("black-hole", ping, 1006, NO_CLOSE),
    Case("early-drop:every=1,after_ms=50", listen, 1006, NO_CLOSE),
    Case("giant-frame", listen, 1006, NO_CLOSE),
    Case("ignored-pings", ping, 1006, NO_CLOSE),
    Case("rst", listen, 1006, NO_CLOSE),
]
REFUSED = {
    "refuse-403": (403, f"{DENIED}\n".encode()),
    "refuse-429": (429, b"Resource has been exhausted (e.g. check quota).\n"),
    "refuse-503": (503, f"{UNAVAILABLE}\n".encode()),
}
BROKEN = {
    "truncated-json": (ValueError, "Failed to parse response"),
    "invalid-json": (ValueError, "Failed to parse response"),
    "unknown-top-level-key": (TypeError, "'<=' not supported between instances of"),
    "error-json": (TypeError, "'<=' not supported between instances of"),
}
WITHOUT_A_CLOSE = {"black-hole", "early-drop", "giant-frame", "ignored-pings", "rst", *BROKEN}


@pytest.mark.parametrize("case", CLOSED, ids=lambda case: case.fault.partition(":")[0])
async def test_what_closes_is_an_api_error_with_code_and_reason(case):
    running = [CALL] if case.calls else []
    async with Understudy(faults=[*running, case.fault]) as understudy:
        with pytest.raises(errors.APIError) as caught:
            async with asyncio.timeout(5):
                await case.drive(understudy)
    error = caught.value
    assert (type(error), error.code, error.details) == (errors.APIError, case.code, case.reason)
    assert str(error) == f"{case.code} None. {case.reason}"


@pytest.mark.parametrize("fault", REFUSED)
async def test_what_refuses_the_upgrade_is_an_http_status(fault):
    async with Understudy(faults=[fault]) as understudy:
        with pytest.raises(InvalidStatus) as caught:
            async with asyncio.timeout(5):
                await connect(understudy)
    assert (caught.value.response.status_code, caught.value.response.body) == REFUSED[fault]


@pytest.mark.parametrize("fault", BROKEN)
async def test_what_breaks_the_client_is_an_error_of_its_own(fault):
    kind, words = BROKEN[fault]
    async with Understudy(faults=[fault]) as understudy:
        with pytest.raises(kind) as caught:
            async with asyncio.timeout(5):
                await listen(understudy)
    assert str(caught.value).startswith(words)


def test_no_end_is_left_out():
    seen = {case.fault.partition(":")[0] for case in CLOSED} | {*REFUSED, *BROKEN}
    ending = {name for name, fault in FAULTS.items() if issubclass(fault, Ending | Refusal)}
    assert seen == ending | WITHOUT_A_CLOSE
    page = (Path(__file__).parents[2] / "understudy" / "SCENARIOS.md").read_text()
    closes = page.partition("## Closes")[2].partition("\n## ")[0]
    assert [name for name in seen - BROKEN.keys() if f"`{name}" not in closes] == []
