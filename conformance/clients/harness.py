"""What the Python clients share: the order of the checks, and what is done with each outcome.

The standard library only, since each client runs in an environment of its own. A client prints one
JSON object a line: its versions first, then each capability with what became of it.
"""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

MODEL = "gemini-3.8-live"
TOOL_NAME = "get_weather"
TOOL_DESCRIPTION = "Tells the weather in a city."
TOOL_REQUEST = "Please use get_weather city=Paris"
TOOL_ARGUMENTS = {"city": "Paris"}
TOOL_RESULT = {"weather": "sunny", "degrees": 21}
TOOL_WORDS = ("sunny", "21")
"""What an answer that tells the result has in it."""
TO_REMEMBER = "Remember that my dog is Rex."
REMEMBERED = "my dog is Rex"
QUESTION = "What did I tell you?"
LONG_REQUEST = "count to 60"

_CHECK_DEADLINE_S = 20
_POLL_S = 0.02


@dataclass(frozen=True)
class Seen:
    """What a check saw when all was well.

    Attributes:
        note: The same in words.
        heard_ms: How long the answer was, all of it; the understudy's record says how much it
            sent. None where no answer belongs to the capability.
    """

    note: str
    heard_ms: int | None = None


Check = Callable[[], Awaitable[Seen]]


async def report(
    versions: Mapping[str, str],
    *,
    connect: Check,
    speak: Check,
    be_answered: Check,
    be_interrupted: Check,
    call_a_tool: Check,
    resume: Check,
    use_a_token: Check,
) -> None:
    """Runs the checks one after the other and prints what becomes of each.

    Args:
        versions: Of each package under test, as its own module says.
        connect: A session is set up. Like every check: returns what it saw, or raises.
        speak: Speech sent in real time is heard.
        be_answered: Speech comes back that can be heard, and what it says in words.
        be_interrupted: Speaking into a long answer ends it, soon, and is answered instead.
        call_a_tool: A declared function is called with its argument, and its result told.
        resume: A new connection knows what was said in the one before.
        use_a_token: An ephemeral token does instead of a key.
    """
    print(json.dumps({"versions": {"Python": platform.python_version(), **versions}}), flush=True)
    checks = {
        "connect": connect,
        "speak": speak,
        "be answered": be_answered,
        "be interrupted": be_interrupted,
        "call a tool": call_a_tool,
        "resume": resume,
        "ephemeral token": use_a_token,
    }
    for capability, check in checks.items():
        ok, seen = await _outcome(check)
        said = {"ok": ok, "note": seen.note, "heard_ms": seen.heard_ms}
        print(json.dumps({"capability": capability, **said}), flush=True)


async def _outcome(check: Check) -> tuple[bool, Seen]:
    try:
        async with asyncio.timeout(_CHECK_DEADLINE_S):
            return True, await check()
    except TimeoutError:
        return False, Seen(f"not within {_CHECK_DEADLINE_S} s")
    except Exception as error:  # whatever a client raises is its outcome here
        return False, Seen(_reason(error))


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"


def expect(is_so: bool, otherwise: str) -> None:
    """Raises an AssertionError with a sentence if something is not so."""
    if not is_so:
        raise AssertionError(otherwise)


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for what a framework has no event for."""
    while not is_so():  # noqa: ASYNC110 - there is nothing to wait for
        await asyncio.sleep(_POLL_S)
