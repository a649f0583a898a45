"""Names and passwords for calls, from the TURN service that is set (`pipeline/turn_services.py`).

They are asked for when a call is accepted, for this call alone, and are kept in memory until its
process has them. A service that does not answer costs the call two seconds, and never the call.
"""

import asyncio
from typing import Any

import httpx
from loguru import logger

from pipeline.settings import Settings
from pipeline.turn_services import AnswerError, MintRequest, mint_request, minted_servers

MINT_S = 2.0
"""How long a service may take; a caller waits for the answer. As long as a silent STUN server may."""
MAX_ANSWER_BYTES = 64 * 1024


class TurnCredentials:
    """Asks for them, and keeps them for a moment.

    Args:
        settings: Which service, and how long they are to be good. Without a service nobody is ever
            asked, and there are none.
        within_s: How long the service may take.
    """

    def __init__(self, settings: Settings, *, within_s: float = MINT_S):
        self._request = mint_request(settings)
        self._within_s = within_s
        self._kept: dict[str, list[dict[str, Any]]] = {}
        self._trouble: str | None = None
        if self._request:
            # Made now: reading the certificates takes some 30 ms, which no request should.
            self._http = httpx.AsyncClient(
                timeout=within_s, follow_redirects=False, headers={"Accept-Encoding": "identity"}
            )

    async def aclose(self) -> None:
        """Close the connections to the service."""
        if self._request:
            await self._http.aclose()

    async def servers(self, session_id: str) -> list[dict[str, Any]]:
        """The servers of one session, asked for the first time; none when they can't be had."""
        if self._request is None:
            return []
        if session_id not in self._kept:
            self._kept[session_id] = await self._mint(self._request)
        return self._kept[session_id]

    def forget(self, session_id: str) -> None:
        """Keep those of a session no longer."""
        self._kept.pop(session_id, None)

    async def _mint(self, request: MintRequest) -> list[dict[str, Any]]:
        servers, trouble = [], None
        try:
            async with asyncio.timeout(self._within_s):
                servers = minted_servers(*await self._answer(request))
        except (TimeoutError, httpx.TimeoutException):
            trouble = f"it did not answer within {self._within_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL):
            trouble = (
                "it can't be reached"  # what httpx says may hold the address, with the account
            )
        except AnswerError as error:
            trouble = str(error)
        self._log(request.service, trouble)
        return servers

    async def _answer(self, request: MintRequest) -> tuple[int, bytes]:
        body = b""
        async with self._http.stream(
            "POST", request.url, headers=dict(request.headers), content=request.body
        ) as response:
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise AnswerError("it answered too much")
        return response.status_code, body

    def _log(self, service: str, trouble: str | None) -> None:
        """Once for each trouble, and once when it is over."""
        if trouble and trouble != self._trouble:
            logger.warning(
                f"{service} gave no TURN server: {trouble}; calls go on with the other servers."
            )
        elif self._trouble and not trouble:
            logger.info(f"{service} gives TURN servers again.")
        self._trouble = trouble
