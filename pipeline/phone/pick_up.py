"""Picks up a call that waits at Daily: has it forwarded to the room's SIP address.

Pipecat 1.14.0 tries once; when that fails the caller hears music until they give up.
"""

import asyncio

import aiohttp
from loguru import logger
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_before_delay,
    wait_random_exponential,
)

from pipeline.asking_again import Passing, as_long_as_asked
from pipeline.phone.call import PhoneCall
from pipeline.settings import Settings

PICK_UP_S = 40.0
"""How long after a session began its caller may still be picked up; Daily lets nobody wait longer
than its music plays twice."""
TRY_S = 10.0
"""How long one attempt may take."""
PAUSE_S = 5.0
"""The longest pause between two attempts, unless Daily asks for a longer one."""
_PAUSE = as_long_as_asked(wait_random_exponential(multiplier=0.3, max=PAUSE_S))


class PickUpError(Exception):
    """The call can't be picked up; the message is one sentence."""


async def pick_up(
    call: PhoneCall, *, sip_address: str, settings: Settings, within_s: float = PICK_UP_S
) -> None:
    """Connect a caller who is on hold with the room.

    Args:
        call: Theirs.
        sip_address: Of the room.
        settings: With Daily's address and key.
        within_s: How long it may be tried.

    Raises:
        PickUpError: When it can't be done.
    """
    key = settings.daily_api_key
    if key is None:
        raise PickUpError("The call can't be picked up: DAILY_API_KEY is missing.")
    url = f"{settings.daily_api_url}/dialin/pinlessCallUpdate"
    asked = {"callId": call.call_id, "callDomain": call.call_domain, "sipUri": sip_address}
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
    attempts = AsyncRetrying(
        stop=stop_before_delay(within_s),
        wait=_PAUSE,
        retry=retry_if_exception_type(Passing),
        reraise=True,
    )
    try:
        async with aiohttp.ClientSession(headers=headers) as http, asyncio.timeout(within_s):
            async for attempt in attempts:
                with attempt:
                    await _ask(http, url, asked)
    except TimeoutError:
        raise PickUpError("The call could not be picked up in time.") from None
    except Passing as error:
        raise PickUpError(str(error)) from None


async def _ask(http: aiohttp.ClientSession, url: str, asked: dict[str, str]) -> None:
    try:
        timeout = aiohttp.ClientTimeout(total=TRY_S)
        async with http.post(url, json=asked, timeout=timeout) as answer:
            if answer.status == 200:
                return
            told = (await answer.text())[:200]
    except (aiohttp.ClientError, TimeoutError) as error:
        # Not its repr: that of aiohttp's errors has the request's headers, with the key.
        raise _told(Passing(f"Daily can't be reached ({type(error).__name__}).")) from None
    sentence = f"Daily refuses to connect the call: {answer.status}, {told!r}."
    if answer.status == 429 or answer.status >= 500:
        raise _told(Passing(sentence, retry_after=answer.headers.get("Retry-After")))
    raise PickUpError(sentence)


def _told(error: Passing) -> Passing:
    logger.warning(f"A call is not picked up yet: {error}")
    return error
