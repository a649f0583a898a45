"""Daily rooms: made, entered and deleted over Daily's REST API.

A room lives as long as the tokens for it, and Daily itself ends it then, whatever became of this
server. Only the bot gets an owner's token.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from loguru import logger
from pipecat.transports.daily.utils import (
    DailyMeetingTokenParams,
    DailyMeetingTokenProperties,
    DailyRESTHelper,
    DailyRoomObject,
    DailyRoomParams,
    DailyRoomProperties,
    DailyRoomSipParams,
)
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from pipeline.asking_again import Passing, as_long_as_asked
from pipeline.settings import Settings
from serving.refused import Refused
from serving.room_address import room_name, room_token

ALL_S = 15.0
"""How long Daily may take for a room with its tokens, all tries together."""
TRY_S = 5.0
"""How long it may take for one answer."""
UNSURE_S = 3.0
"""How long after Daily did not answer it may still make what it was asked for."""
CLOSE_S = 5.0
"""How long the server's end waits for rooms to be deleted."""
MAX_WAIT_S = 4.0
MAX_LIFETIME_S = 4 * 3600.0
"""As long as any session may run (`Bounds.run_s`)."""
MARGIN_S = 120.0
"""A room outlives its session, so that it is the session that says goodbye."""
NO_ROOM = "The room can't be had from Daily; please try again."

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room that a session may enter.

    Parameters:
        url: Its address.
        name: What Daily knows it by.
        token: The bot's, an owner's; None: it enters without one.
        guest_token: For a person; None: they enter without one.
        sip_uri: The SIP address (`sip:...`) that calls are forwarded to; None: it has none.
        is_ours: Whether it was made here, and is to be deleted.
    """

    url: str
    name: str
    token: str | None
    guest_token: str | None
    sip_uri: str | None
    is_ours: bool


def room_lifetime_s(settings: Settings, *, is_phone: bool = False) -> float:
    """How long a room lives: as long as its session may last, and a little longer."""
    longest_s = settings.max_call_s if is_phone else settings.max_session_s or MAX_LIFETIME_S
    return min(longest_s, MAX_LIFETIME_S) + MARGIN_S


class Rooms:
    """Rooms at Daily.

    Args:
        settings: The key and the address of the API.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._http: aiohttp.ClientSession | None = None
        self._deleting: set[asyncio.Task[bool]] = set()

    async def create(
        self, *, lifetime_s: float, sip_name: str | None = None, dials_out: bool = False
    ) -> Room:
        """Make a room.

        Args:
            lifetime_s: After so long Daily ends it, and no token counts any more.
            sip_name: As whom a telephone call that is forwarded here is shown; None: the room has
                no SIP address.
            dials_out: Whether numbers can be called from it.

        Raises:
            Refused: When Daily does not give one; there is none then.
        """
        expires_s = int(time.time() + lifetime_s)
        is_phone = bool(sip_name or dials_out)
        properties = DailyRoomProperties(
            exp=expires_s,
            eject_at_room_exp=True,
            enable_chat=not is_phone,
            enable_dialout=True if dials_out else None,
            sip=self._sip(sip_name) if sip_name else None,
            start_video_off=is_phone,
        )
        made: list[DailyRoomObject] = []

        async def make() -> Room:
            made.append(await self._retried(lambda: self._make(properties)))
            room = made[0]
            return Room(
                url=room.url,
                name=room.name,
                token=await self._token(room.name, expires_s, is_owner=True),
                guest_token=None if is_phone else await self._token(room.name, expires_s),
                sip_uri=_sip_uri(room) if sip_name else None,
                is_ours=True,
            )

        try:
            return await self._in_time(make)
        except BaseException:
            for room in made:
                self.delete_soon(room.name)
            raise

    async def enter(self, url: str, *, lifetime_s: float = 3600.0) -> Room:
        """Have tokens for a room that is there; without a key, or for another's, there are none.

        Args:
            url: Its address; a token that it carries (`?t=`) is the bot's.
            lifetime_s: How long the tokens count.

        Raises:
            Refused: When Daily does not answer.
        """
        name, expires_s = room_name(url), int(time.time() + lifetime_s)
        own_token, url = room_token(url), url.partition("?")[0]

        async def have() -> Room:
            is_known = self._settings.daily_api_key is not None and await self._has(url)
            token = await self._token(name, expires_s, is_owner=True) if is_known else None
            return Room(
                url=url,
                name=name,
                token=own_token or token,
                guest_token=await self._token(name, expires_s) if is_known else None,
                sip_uri=None,
                is_ours=False,
            )

        return await self._in_time(have)

    async def delete(self, name: str) -> bool:
        """Delete a room, which ends the call of everybody in it.

        Returns:
            Whether it is gone; False: Daily would not, and it can be tried again later.
        """
        try:
            async with asyncio.timeout(ALL_S):
                return await self._retried(lambda: self._daily().delete_room_by_name(name))
        except Exception as error:
            # Not its repr: that of aiohttp's errors has the request's headers, with the key.
            logger.error(f"The room {name} is not deleted: {type(error).__name__}: {error}")
            return False

    def delete_soon(self, name: str, *, after_s: float = 0.0) -> None:
        """The same, for whoever can't wait for it; `aclose` does."""

        async def delete() -> bool:
            await asyncio.sleep(after_s)
            return await self.delete(name)

        task = asyncio.create_task(delete())
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    async def aclose(self) -> None:
        """See to the end what is being deleted, within `CLOSE_S`, and close the connections."""
        if self._deleting:
            _, late = await asyncio.wait(self._deleting, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._http:
            await self._http.close()

    # --- what is asked of Daily -----------------------------------------------------------------

    def _daily(self) -> DailyRESTHelper:
        if self._settings.daily_api_key is None:
            raise Refused(400, "Daily rooms need DAILY_API_KEY.")
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=TRY_S)
            self._http = aiohttp.ClientSession(timeout=timeout, raise_for_status=_check)
        return DailyRESTHelper(
            daily_api_key=self._settings.daily_api_key.get_secret_value(),
            daily_api_url=self._settings.daily_api_url.rstrip("/"),
            aiohttp_session=self._http,
        )

    def _sip(self, name: str) -> DailyRoomSipParams:
        # Daily's documentation wants a second endpoint for calls that may be transferred.
        endpoints = 2 if self._settings.transfer_targets else 1
        return DailyRoomSipParams(display_name=name, num_endpoints=endpoints)

    async def _make(self, properties: DailyRoomProperties) -> DailyRoomObject:
        name = f"salon-{uuid.uuid4().hex[:16]}"
        try:
            params = DailyRoomParams(name=name, properties=properties)
            return await self._daily().create_room(params)
        except BaseException:
            # It may have been made though nobody was told, and may yet be.
            self.delete_soon(name, after_s=UNSURE_S)
            raise

    async def _token(self, name: str, expires_s: int, *, is_owner: bool = False) -> str:
        # The helper counts from now and cuts the fraction off: half a second keeps it on the spot.
        return await self._retried(
            lambda: self._daily().get_token(
                f"https://daily/{name}",
                expiry_time=expires_s + 0.5 - time.time(),
                eject_at_token_exp=True,
                owner=is_owner,
                params=DailyMeetingTokenParams(properties=DailyMeetingTokenProperties()),
            )
        )

    async def _has(self, url: str) -> bool:
        """Whether a room is of our domain: Daily knows it by its name, under the same address."""

        async def look() -> bool:
            try:
                room = await self._daily().get_room_from_url(url)
            except (Passing, aiohttp.ClientError, TimeoutError):
                raise
            except Exception:  # the helper's own: there is none of that name
                return False
            return room.url.rstrip("/").lower() == url.rstrip("/").lower()

        return await self._retried(look)

    async def _retried(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer; whoever calls sets the time for that."""
        passing = retry_if_exception_type((Passing, aiohttp.ClientError, TimeoutError))
        async for attempt in AsyncRetrying(retry=passing, wait=_wait):
            with attempt:
                return await ask()
        raise AssertionError("it goes on until somebody cancels it")

    async def _in_time(self, have: Callable[[], Awaitable[Room]]) -> Room:
        try:
            async with asyncio.timeout(ALL_S):
                return await have()
        except Refused:
            raise
        except Exception as error:
            # Not its repr: that of aiohttp's errors has the request's headers, with the key.
            logger.error(f"There is no Daily room: {type(error).__name__}: {error}")
            raise Refused(502, NO_ROOM) from None


_backoff = wait_random_exponential(multiplier=0.25, max=MAX_WAIT_S)


def _wait(state: RetryCallState) -> float:
    return as_long_as_asked(_backoff)(state)


async def _check(answer: aiohttp.ClientResponse) -> None:
    """Tell apart what is worth another try; the rest is the helper's to tell."""
    if answer.status == 429 or answer.status >= 500:
        retry_after = answer.headers.get("Retry-After")
        raise Passing(f"Daily answered {answer.status}", retry_after=retry_after)


def _sip_uri(room: DailyRoomObject) -> str:
    address = (room.config.sip_uri or {})["endpoint"]
    return f"sip:{str(address).removeprefix('sip:')}"
