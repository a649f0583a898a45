"""Asks the REST API of a telephone service to do something with a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from loguru import logger
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from pipeline.asking_again import Passing
from pipeline.phone.line import LineError

TRIES = 3
WITHIN_S = 4.0
"""How long each try may take."""
_WORTH_A_RETRY = (429, 500, 502, 503, 504)


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """What is asked for.

    Parameters:
        method: `POST`, ...
        path: Behind the API's address.
        form: The fields of a form.
        json: A body of JSON instead.
        is_over: The statuses with which the API tells that the call is over.
    """

    method: str
    path: str
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    is_over: tuple[int, ...] = field(default=(404,))


class ProviderApi:
    """The API of one service.

    Args:
        name: Of the service.
        url: Its address.
        auth: Name and password, or a bearer token; None: there are no credentials.
    """

    def __init__(self, name: str, url: str, auth: tuple[str, str] | str | None):
        self._name = name
        self._url = url
        self._auth = auth

    @property
    def can_be_asked(self) -> bool:
        """Whether there are credentials."""
        return self._auth is not None

    async def ask(self, request: ApiRequest) -> bool:
        """Have something done; what may pass is tried again.

        Returns:
            Whether it was done; False when the call is over.

        Raises:
            LineError: When it was not done.
        """
        if self._auth is None:
            raise LineError(f"{self._name} can't be asked without an account's credentials.")
        headers = {"Authorization": f"Bearer {self._auth}"} if isinstance(self._auth, str) else {}
        auth = self._auth if isinstance(self._auth, tuple) else None
        trying = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.2, max=1.0),
            retry=retry_if_exception_type(Passing),
            reraise=True,
        )
        try:
            async with httpx.AsyncClient(
                base_url=self._url, auth=auth, headers=headers, timeout=WITHIN_S
            ) as http:
                async for attempt in trying:
                    with attempt:
                        return await self._try(http, request)
        except Passing as error:
            logger.error(f"{self._name} could not be asked: {error}")
        raise LineError(f"{self._name} did not do it.")

    async def _try(self, http: httpx.AsyncClient, request: ApiRequest) -> bool:
        try:
            response = await http.request(
                request.method, request.path, data=request.form, json=request.json
            )
        except httpx.HTTPError as error:
            raise Passing(type(error).__name__) from None
        if response.is_success:
            return True
        if response.status_code in request.is_over:
            return False
        if response.status_code in _WORTH_A_RETRY:
            raise Passing(f"status {response.status_code}")
        logger.error(f"{self._name} refused: status {response.status_code}")
        raise LineError(f"{self._name} did not do it.")
