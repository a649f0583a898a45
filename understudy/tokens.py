"""Ephemeral tokens: minting them, and what a session opened with one may be. Pure.

Figures are the vendor's documentation as the SDK carries it: a token is good for 30 minutes, for
starting sessions for 60 seconds, at most for 20 hours, and once unless `uses` says otherwise;
resuming a session is no use. Times are those of the calendar and are never scaled, since clients
compute them.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from understudy.errors import ProtocolError, invalid, refused
from understudy.schema import normalise

PREFIX = "auth_tokens/"
DEFAULT_LIFE = timedelta(minutes=30)
DEFAULT_START = timedelta(seconds=60)
MAX_LIFE = timedelta(hours=20)
_MAX_TOKENS = 10_000
_MAX_BYTES = 4_000_000
"""Of what was asked for. The oldest give way beyond; a server that runs for weeks must not fill the
memory, which a parsed setup takes ten times as much of."""
EXPIRED = "API key expired. Please renew the API key."


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that a token lets in: its setup, and for how long it may send."""

    setup: Mapping[str, Any]
    for_s: float


@dataclass(slots=True)
class _Token:
    until: datetime
    start_until: datetime
    minted_by: str | None
    uses_left: int | None
    setup: Mapping[str, Any] | None
    mask: tuple[str, ...] | None
    size_bytes: int


class TokenStore:
    """The tokens of a server.

    Args:
        new_hex: Makes the random part of a token's name.
        now: The time of the calendar, with a zone.
    """

    def __init__(
        self,
        *,
        new_hex: Callable[[], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._new_hex = new_hex
        self._now = now
        self._tokens: OrderedDict[str, _Token] = OrderedDict()
        self._bytes = 0

    def mint(self, body: bytes, *, key: str | None = None) -> tuple[HTTPStatus, str]:
        """Answers `POST auth_tokens`.

        Args:
            body: The request's JSON: `uses`, `expireTime`, `newSessionExpireTime`,
                `bidiGenerateContentSetup` and `fieldMask`, each optional.
            key: On whose account.

        Returns:
            The status and the JSON of the answer: the token's name, or what is wrong.
        """
        try:
            fields = normalise("AuthToken", json.loads(body or b"{}"))
            token = self._read(fields, key, len(body) + len(key or ""))
        except (ValueError, RecursionError):
            return error_answer(HTTPStatus.BAD_REQUEST, "Invalid JSON payload received.")
        except ProtocolError as error:
            return error_answer(HTTPStatus.BAD_REQUEST, error.reason)
        name = PREFIX + self._new_hex()
        self._tokens[name] = token
        self._bytes += token.size_bytes
        while len(self._tokens) > _MAX_TOKENS or self._bytes > _MAX_BYTES:
            _, oldest = self._tokens.popitem(last=False)
            self._bytes -= oldest.size_bytes
        return HTTPStatus.OK, json.dumps({"name": name}, indent=2) + "\n"

    def admit(self, name: str, setup: Mapping[str, Any]) -> Admission:
        """Lets a session in, and counts the use.

        Args:
            name: The token as the client sent it.
            setup: The client's normalised setup.

        Raises:
            ProtocolError: 1007 or 1008: unknown, expired or used up.
        """
        token, now = self._tokens.get(name), self._now()
        if token is None:
            raise invalid("API key not valid. Please pass a valid API key.")
        handle = setup.get("sessionResumption", {}).get("handle")
        if token.until <= now or (not handle and token.start_until <= now):
            raise invalid(EXPIRED)
        if not handle and token.uses_left is not None:
            if not token.uses_left:
                raise refused("Token has been used too many times.")
            token.uses_left -= 1
        return Admission(_constrained(setup, token), (token.until - now).total_seconds())

    def owner(self, name: str) -> str:
        """Returns the key that minted a token; anything else counts for itself."""
        token = self._tokens.get(name)
        return name if token is None or token.minted_by is None else token.minted_by

    def _read(self, fields: Mapping[str, Any], key: str | None, size_bytes: int) -> _Token:
        now = self._now()
        uses = fields.get("uses", 1)
        if uses < 0:
            raise invalid("uses must not be negative.")
        until = _time(fields, "expireTime", now + DEFAULT_LIFE, now=now)
        start_until = _time(fields, "newSessionExpireTime", now + DEFAULT_START, now=now)
        mask = tuple(filter(None, (p.strip() for p in fields.get("fieldMask", "").split(","))))
        return _Token(
            until,
            start_until,
            key,
            uses or None,
            fields.get("bidiGenerateContentSetup"),
            tuple(map(_camel_case, mask)) or None,
            size_bytes,
        )


def error_answer(status: HTTPStatus, message: str) -> tuple[HTTPStatus, str]:
    """Returns a REST error in the form of Google's APIs."""
    names = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
    error = {
        "code": status.value,
        "message": message,
        "status": names.get(status.value, status.name),
    }
    return status, json.dumps({"error": error}, indent=2) + "\n"


def _time(fields: Mapping[str, Any], name: str, default: datetime, *, now: datetime) -> datetime:
    if name not in fields:
        return default
    try:
        time = datetime.fromisoformat(fields[name])
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise invalid(f"Invalid value at '{name}' (google.protobuf.Timestamp).")
    if time > now + MAX_LIFE:
        raise invalid(f"{name} must be less than 20 hours in the future.")
    return time


def _camel_case(path: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)


def _constrained(setup: Mapping[str, Any], token: _Token) -> Mapping[str, Any]:
    """Returns the setup with what the token locks.

    Vendor documentation: without a field mask all of it is locked, and what the client asked for
    is ignored; with one, those fields. A client's resumption handle always counts: without it
    nothing could be resumed.
    """
    if token.setup is None:
        return setup
    if token.mask is None:
        locked = dict(token.setup)
    else:
        locked = dict(setup)
        for path in token.mask:
            _lock(locked, token.setup, path.split("."))
    if handle := setup.get("sessionResumption", {}).get("handle"):
        locked["sessionResumption"] = {**locked.get("sessionResumption", {}), "handle": handle}
    return locked


def _lock(setup: dict[str, Any], source: Mapping[str, Any], path: list[str]) -> None:
    name, *rest = path
    if not rest:
        setup.pop(name, None)
        if name in source:
            setup[name] = source[name]
        return
    mine, theirs = setup.get(name, {}), source.get(name, {})
    if isinstance(mine, dict) and isinstance(theirs, dict):
        setup[name] = dict(mine)
        _lock(setup[name], theirs, rest)
