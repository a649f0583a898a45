"""Bearer tokens of an OpenID Connect provider, verified against the keys that it publishes.

PyJWT verifies; its own client of key sets is synchronous, reads answers of any size and fetches for
every key that it does not know, so the fetching is done here.
"""

import asyncio
import json
import time
from typing import Any

import httpx
import jwt

from serving.access.exposure import is_loopback
from serving.access.key_schedule import FAILED_PAUSE_S, Keys, KeySchedule
from serving.refused import Refused

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Asymmetric ones only: with `HS256` a provider's public key would be a secret that all know."""
LEEWAY_S = 30
FETCH_S = 3.0
"""How long the provider may take for its configuration and its keys together."""
MAX_ANSWER_BYTES = 256 * 1024
MAX_KEYS = 32
MAX_TOKEN_CHARACTERS = 8 * 1024
MAX_NAME_CHARACTERS = 255
"""What OpenID Connect allows for `sub`."""


class ProviderError(Exception):
    """What the provider sent can't be used."""


class OpenIdConnect:
    """Verifies tokens of one issuer for one audience.

    Parameters:
        issuer: Its address; `/.well-known/openid-configuration` is below it.
        audience: Whom a token must be for.
    """

    def __init__(self, *, issuer: str, audience: str):
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, dict[str, Any]] = {}
        self._schedule = KeySchedule()
        self._fetching = asyncio.Lock()
        # Made now: reading the certificates takes some 30 ms, which no request should.
        self._http = httpx.AsyncClient(
            timeout=FETCH_S, follow_redirects=False, headers={"Accept-Encoding": "identity"}
        )

    async def aclose(self) -> None:
        """Close the connections to the provider."""
        await self._http.aclose()

    async def subject(self, token: str) -> str:
        """Whose token it is: `sub`.

        Raises:
            Refused: 401 when it does not count, 503 when that can't be found out.
        """
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _refused("is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, UnicodeError):
            raise _refused("is not a JSON Web Token") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise _refused("is not signed with one of the algorithms that count")
        if not isinstance(kid, str):
            raise _refused("does not say which key it is signed with")
        key = await self._key(kid)
        if key is None:
            raise _refused("is signed with a key that the issuer does not have")
        return self._verified(token, key, algorithm)

    def _verified(self, token: str, key: dict[str, Any], algorithm: str) -> str:
        if key.get("alg") not in (None, algorithm):
            raise _refused("is not signed as its key is to be used")
        try:
            claims = jwt.decode(
                token,
                jwt.PyJWK(key, algorithm),
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise _refused("has expired") from None
        except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
            raise _refused("does not count yet") from None
        except jwt.InvalidAudienceError:
            raise _refused("is for another audience") from None
        except jwt.InvalidIssuerError:
            raise _refused("is from another issuer") from None
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"lacks the claim {error.claim!r}") from None
        except (jwt.PyJWTError, ArithmeticError, RecursionError, TypeError, ValueError):
            raise _refused("is not valid") from None
        subject = claims["sub"]
        if not 0 < len(subject) <= MAX_NAME_CHARACTERS:
            raise _refused("names nobody")
        return subject

    async def _key(self, kid: str) -> dict[str, Any] | None:
        """A key by its id, fetched when it is time to; None when the issuer has no such key."""
        if self._decide(kid) is Keys.FETCH:
            async with self._fetching:
                if self._decide(kid) is Keys.FETCH:  # nobody did while this waited
                    await self._fetch()
        if self._decide(kid) is Keys.NONE:
            raise Refused(
                503,
                "The identity provider can't be reached, so nobody can be let in right now.",
                {"Retry-After": str(round(FAILED_PAUSE_S))},
            )
        return self._keys.get(kid)

    def _decide(self, kid: str) -> Keys:
        return self._schedule.decide(is_known=kid in self._keys, now_s=time.monotonic())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_S):
                well_known = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                configuration = await self._json(well_known)
                if configuration.get("issuer") != self._issuer:
                    raise ProviderError("another issuer")
                self._keys = _signing_keys(await self._json(_safe(configuration.get("jwks_uri"))))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ProviderError):
            self._schedule.failed(time.monotonic())
        else:
            self._schedule.fetched(time.monotonic())

    async def _json(self, url: str) -> dict[str, Any]:
        body = b""
        async with self._http.stream("GET", url) as response:
            if response.status_code != 200:
                raise ProviderError(f"status {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise ProviderError("too large")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise ProviderError("not JSON") from None
        if not isinstance(found, dict):
            raise ProviderError("not an object")
        return found


def _safe(url: Any) -> str:
    """An address whose answer nobody on the way can change."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ProviderError("no address") from None
    if parsed.scheme != "https" and not (parsed.scheme == "http" and is_loopback(parsed.host)):
        raise ProviderError("not https")
    return str(parsed)


def _signing_keys(key_set: dict[str, Any]) -> dict[str, dict[str, Any]]:
    keys = key_set.get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ProviderError("no list of keys")
    return {
        key["kid"]: key
        for key in keys
        if isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") in ("RSA", "EC", "OKP")
        and key.get("use", "sig") == "sig"
    }


def _refused(why: str) -> Refused:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Refused(401, f"The bearer token {why}.", challenge)
