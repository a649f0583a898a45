"""Paths and keys: what a request is for, and on whose account. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from understudy.errors import ProtocolError, invalid, refused
from understudy.profiles import PROFILES
from understudy.tokens import PREFIX as TOKEN_PREFIX

_LIVE = re.compile(
    r".*/ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)"
    r"\.GenerativeService\.BidiGenerateContent(Constrained)?/?"
)
_TOKENS = re.compile(r".*/v1alpha/auth_tokens/?")
_CLIENT_CHARACTERS = 200
_MODELS = re.compile(r".*/(?:v1|v1beta|v1alpha)/models(?:/([^/]+))?/?")


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """A Live session.

    Attributes:
        api_version: The version in the path.
        key: The key or ephemeral token it is for.
        is_constrained: Whether it is the endpoint for ephemeral tokens.
    """

    api_version: str
    key: str | None
    is_constrained: bool = False


class AuthMode(StrEnum):
    """A way to come in, as far as reports tell them apart."""

    KEY = "key"
    """An API key."""
    NO_KEY = "no-key"
    """Nothing at all."""
    TOKEN = "token"
    """An ephemeral token at the endpoint for tokens."""
    PLAIN_TOKEN = "plain-token"
    """An ephemeral token at the endpoint for keys."""
    CONSTRAINED_KEY = "constrained-key"
    """An API key at the endpoint for tokens."""
    DOUBLE_SLASH = "double-slash"
    """A path with repeated slashes, as SDKs make of a base URL that ends in one."""


@dataclass(frozen=True, slots=True)
class ModelsRoute:
    """The list of models, or one of them."""

    model: str | None


@dataclass(frozen=True, slots=True)
class TokensRoute:
    """Where ephemeral tokens are minted, by POST, on whose account."""

    key: str | None


Route = LiveRoute | ModelsRoute | TokensRoute


def route(target: str, headers: Mapping[str, str]) -> Route | None:
    """Reads a request.

    Repeated slashes count as one: a base URL that ends in a slash gives `//ws/...` with every
    SDK. Any prefix may precede the path, as behind a gateway.

    Args:
        target: The request target, query included.
        headers: The request's headers; looked up by lower-case names.

    Returns:
        What is asked for, or None when there is no such place.
    """
    path, _, query = target.partition("?")
    path = re.sub(r"/{2,}", "/", path)
    if match := _LIVE.fullmatch(path):
        if match[2] and match[1] != "v1alpha":
            return None  # vendor documentation: ephemeral tokens exist in v1alpha only
        return LiveRoute(match[1], _key(query, headers), is_constrained=bool(match[2]))
    if _TOKENS.fullmatch(path):
        return TokensRoute(_key(query, headers))
    if match := _MODELS.fullmatch(path):
        return ModelsRoute(match[1])
    return None


def auth_modes(target: str, route: LiveRoute) -> set[AuthMode]:
    """Returns in which ways a client comes in: one of the key, and perhaps one of the path."""
    if route.key is None:
        mode = AuthMode.NO_KEY
    elif route.key.startswith(TOKEN_PREFIX):
        mode = AuthMode.TOKEN if route.is_constrained else AuthMode.PLAIN_TOKEN
    else:
        mode = AuthMode.CONSTRAINED_KEY if route.is_constrained else AuthMode.KEY
    return {mode, AuthMode.DOUBLE_SLASH} if "//" in target.partition("?")[0] else {mode}


def note(target: str, headers: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Returns what the record says of a Live request: the client and its credentials' kinds.

    Args:
        target: The request target, query included.
        headers: The request's headers; looked up by lower-case names.
    """
    keys = _keys(target.partition("?")[2], headers)
    kinds = {"token" if key.startswith(TOKEN_PREFIX) else "key" for key in keys}
    client = headers.get("x-goog-api-client") or headers.get("user-agent", "")
    return {"credentials": sorted(kinds), "client": client[:_CLIENT_CHARACTERS]}


def _key(query: str, headers: Mapping[str, str]) -> str | None:
    return next(iter(_keys(query, headers)), None)


def _keys(query: str, headers: Mapping[str, str]) -> list[str]:
    """Finds keys where the SDKs put them: google-genai in a header, JavaScript in the query."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    parameters = parse_qs(urlsplit(f"?{query}").query)
    found = (
        headers.get("x-goog-api-key"),
        next(iter(parameters.get("key", ())), None),
        next(iter(parameters.get("access_token", ())), None),
        token.strip() if scheme.lower() == "token" else None,
    )
    return [key for key in found if key]


def check_key(key: str | None, accepted: Collection[str] | None) -> ProtocolError | None:
    """Returns why the service refuses a key, or None when it takes it.

    The real service lets the upgrade succeed and closes the connection after the setup. An
    ephemeral token is no key: outside the endpoint for tokens it counts as none.

    Args:
        key: The client's key.
        accepted: The only keys that are taken; None for any that doesn't begin with `invalid`.
    """
    if key is None or key.startswith(TOKEN_PREFIX):
        return refused(
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key"
        )
    if key.startswith("invalid") or (accepted is not None and key not in accepted):
        return invalid("API key not valid. Please pass a valid API key.")
    return None


def check_access(route: LiveRoute, accepted: Collection[str] | None) -> ProtocolError | None:
    """Returns why a session is refused whatever its setup is, or None.

    At the endpoint for ephemeral tokens, whether a token is good is seen with the setup.
    """
    is_token = route.key is not None and route.key.startswith(TOKEN_PREFIX)
    if route.is_constrained and is_token:
        return None
    if route.is_constrained and route.key is not None:
        return invalid("API key not valid. Please pass a valid API key.")
    return check_key(route.key, accepted)


def models_body(model: str | None) -> str | None:
    """Returns the JSON of `GET models`, or of one model, or None when that is unknown."""
    listed = [
        {
            "name": f"models/{name}",
            "displayName": name,
            "supportedGenerationMethods": ["bidiGenerateContent"],
        }
        for profile in PROFILES.values()
        for name in profile.models
    ]
    if model is None:
        return json.dumps({"models": listed}, indent=2) + "\n"
    found = next((entry for entry in listed if entry["displayName"] == model), None)
    return None if found is None else json.dumps(found, indent=2) + "\n"
