"""Who starts a call: by API key, by the token of an OpenID provider, or anybody on loopback."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.settings import Settings
from serving.access.api_keys import ApiKeys
from serving.access.exposure import needs_credentials
from serving.access.oidc import OpenIdConnect
from serving.access.origins import Headers, header
from serving.access.rates import Rate, RateLimit, client_of
from serving.refused import Refused

FAILURES = Rate(count=10)
"""How often an address may show credentials that do not count before none of its count."""


class CallerKind(StrEnum):
    """How a caller is known."""

    OPEN = "open"
    KEY = "key"
    OIDC = "oidc"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who starts a call, for limits and logs.

    Parameters:
        name: The name of the API key, the `sub` of the token, or the network address.
        kind: How that is known; two callers of different kinds are never the same.
    """

    name: str
    kind: CallerKind

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Callers:
    """Finds out who starts a call, and how often each may.

    Parameters:
        settings: The keys, the provider, the rates; with neither of the first two all are `OPEN`.
        now_s: A monotonic clock.
    """

    def __init__(self, settings: Settings, *, now_s: Callable[[], float] = time.monotonic):
        self._is_open = not needs_credentials(settings)
        self._keys = ApiKeys(settings)
        self._provider = (
            OpenIdConnect(issuer=settings.oidc_issuer, audience=settings.oidc_audience or "")
            if settings.oidc_issuer
            else None
        )
        self._now_s = now_s
        self._failures = RateLimit(FAILURES)
        self._starts = RateLimit(Rate(count=settings.starts_per_minute))
        self._key_starts = RateLimit(Rate(count=settings.key_starts_per_minute))

    async def aclose(self) -> None:
        """Close what is open towards the provider."""
        if self._provider:
            await self._provider.aclose()

    async def admit(self, headers: Headers, address: str | None) -> Caller:
        """Who a request to start a call is from; one more start of theirs is counted.

        Raises:
            Refused: 401 for nobody, 429 for too many, 503 when the provider can't be reached.
        """
        caller = await self.identify(headers, address)
        limit = self._key_starts if caller.kind is CallerKind.KEY else self._starts
        self._take(limit, caller.name, "You have started too many calls")
        return caller

    async def identify(self, headers: Headers, address: str | None) -> Caller:
        """Who a request is from.

        Raises:
            Refused: 400, 401, 429 for too many failures, or 503.
        """
        client = client_of(address)
        if self._is_open:
            return Caller(name=client, kind=CallerKind.OPEN)
        wait_s = self._failures.wait_s(client, self._now_s())
        if wait_s:
            raise _too_many("Too many credentials from your address did not count", wait_s)
        try:
            return await self._known(_credential(headers))
        except Refused as error:
            if error.status == 401:
                self._failures.count(client, self._now_s())
            raise

    async def _known(self, credential: str) -> Caller:
        if name := self._keys.name(credential):
            return Caller(name=name, kind=CallerKind.KEY)
        if self._provider is None:
            raise Refused(401, "There is no such API key.", {"WWW-Authenticate": "Bearer"})
        return Caller(name=await self._provider.subject(credential), kind=CallerKind.OIDC)

    def _take(self, limit: RateLimit, who: str, sentence: str) -> None:
        now_s = self._now_s()
        wait_s = limit.wait_s(who, now_s)
        if wait_s:
            raise _too_many(sentence, wait_s)
        limit.count(who, now_s)


def _credential(headers: Headers) -> str:
    """The key or token that a request shows."""
    scheme, _, bearer = (header(headers, b"authorization") or "").partition(" ")
    credential = bearer.strip() if scheme.lower() == "bearer" else header(headers, b"x-api-key")
    if not credential:
        raise Refused(
            401,
            "Starting a call needs `Authorization: Bearer` with an API key or a token.",
            {"WWW-Authenticate": "Bearer"},
        )
    return credential


def _too_many(sentence: str, wait_s: float) -> Refused:
    seconds = max(1, -int(-wait_s // 1))
    return Refused(429, f"{sentence}; try again in {seconds} s.", {"Retry-After": str(seconds)})
