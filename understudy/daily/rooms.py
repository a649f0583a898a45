"""A Daily room as its REST API has it, and who may enter it. Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt

_LETTERS = string.ascii_letters + string.digits
NO_ROOM = "The meeting you're trying to join does not exist."
EXPIRED_ROOM = "The meeting you're trying to join has expired."
"""What daily-core is told of a room; that these two are the words is ours."""
BAD_TOKEN = "Meeting token is invalid."
EXPIRED_TOKEN = "Meeting token has expired."
NOT_ALLOWED = "You are not allowed to join this meeting."
FULL = "Meeting is full."


class BadRequest(Exception):
    """A request that Daily would refuse; the message is its `info`."""


class MayNotEnter(Exception):
    """Somebody who can't join; the message is what daily-core is told."""


@dataclass(frozen=True, kw_only=True)
class RoomRecord:
    """A room.

    Parameters:
        id: Daily's own.
        name: The path of its URL.
        privacy: `public` or `private`.
        url: Where it is joined.
        created_at_s: Unix time.
        config: Its properties, completed by Daily.
    """

    id: str
    name: str
    privacy: str
    url: str
    created_at_s: float
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expires_at_s(self) -> float | None:
        """When nobody can join any more, Unix time."""
        return self.config.get("exp")

    @property
    def sip_uri(self) -> str | None:
        """The SIP address without its scheme, of a room that can be dialled into."""
        return self.config.get("sip_uri", {}).get("endpoint")

    def as_dict(self) -> dict[str, Any]:
        """As the REST API shows it."""
        created = datetime.fromtimestamp(self.created_at_s, UTC)
        return {
            "id": self.id,
            "name": self.name,
            "api_created": True,
            "privacy": self.privacy,
            "url": self.url,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond:06}Z",
            "config": dict(self.config),
        }


def new_room(body: Mapping[str, Any], *, site: str, now_s: float) -> RoomRecord:
    """Makes a room out of what was posted.

    Args:
        body: `name`, `privacy`, `properties`.
        site: Where rooms are, such as `http://127.0.0.1:8000`.
        now_s: Unix time.

    Raises:
        BadRequest: It can't be made.
    """
    name = body.get("name") or "".join(secrets.choice(_LETTERS) for _ in range(20))
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
        raise BadRequest("room name can only contain A-Z, a-z, 0-9, '-', and '_'")
    privacy = body.get("privacy", "public")
    if privacy not in ("public", "private"):
        raise BadRequest("privacy must be 'public' or 'private'")
    config = _config(body.get("properties") or {}, name, now_s)
    return RoomRecord(
        id=str(uuid.uuid4()),
        name=name,
        privacy=privacy,
        url=f"{site}/{name}",
        created_at_s=now_s,
        config=config,
    )


def changed(room: RoomRecord, body: Mapping[str, Any], now_s: float) -> RoomRecord:
    """Returns a room with other properties, as `POST /rooms/:name` makes it."""
    properties = {**room.config, **(body.get("properties") or {})}
    return RoomRecord(
        id=room.id,
        name=room.name,
        privacy=body.get("privacy", room.privacy),
        url=room.url,
        created_at_s=room.created_at_s,
        config={**_config(properties, room.name, now_s), **_kept(room)},
    )


def _kept(room: RoomRecord) -> dict[str, Any]:
    return {"sip_uri": room.config["sip_uri"]} if "sip_uri" in room.config else {}


def _config(properties: object, name: str, now_s: float) -> dict[str, Any]:
    if not isinstance(properties, Mapping):
        raise BadRequest("properties must be an object")
    config = {key: value for key, value in properties.items() if value is not None}
    expires = config.get("exp")
    if expires is not None and (not isinstance(expires, int | float) or expires <= now_s):
        raise BadRequest(f"exp was {expires}, which is in the past")
    if (sip := config.get("sip")) is not None:
        if not isinstance(sip, Mapping) or sip.get("sip_mode", "dial-in") != "dial-in":
            raise BadRequest("sip.sip_mode must be 'dial-in'")
        digits = int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)
        config["sip_uri"] = {"endpoint": f"{digits}@stand-in.sip.daily.test"}
    return config


def new_token(properties: Mapping[str, Any], *, key: str, now_s: float) -> str:
    """Makes a meeting token: a JWT with Daily's short names.

    Raises:
        BadRequest: It can't be made.
    """
    expires = properties.get("exp")
    if expires is not None and not isinstance(expires, int | float):
        raise BadRequest("exp must be a unix timestamp in seconds")
    claims = {
        "r": properties.get("room_name"),
        "o": bool(properties.get("is_owner")) or None,
        "u": properties.get("user_name"),
        "ud": properties.get("user_id"),
        "ejt": bool(properties.get("eject_at_token_exp")) or None,
        "exp": int(expires) if expires is not None else None,
        "iat": int(now_s),
    }
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, _secret(key), algorithm="HS256")


def read_token(token: str, *, key: str) -> dict[str, Any]:
    """Returns a token's claims, whether or not it has expired.

    Raises:
        MayNotEnter: It is no token of this domain.
    """
    lenient: Any = {"verify_exp": False, "verify_iat": False}
    try:
        return jwt.decode(token, _secret(key), algorithms=["HS256"], options=lenient)
    except jwt.InvalidTokenError:
        raise MayNotEnter(BAD_TOKEN) from None


def described(claims: Mapping[str, Any]) -> dict[str, Any]:
    """A token's claims as `GET /meeting-tokens/:token` shows them."""
    told = {
        "room_name": claims.get("r"),
        "is_owner": claims.get("o", False),
        "user_name": claims.get("u"),
        "user_id": claims.get("ud"),
        "exp": claims.get("exp"),
        "eject_at_token_exp": claims.get("ejt"),
    }
    return {name: value for name, value in told.items() if value is not None}


def check(
    room: RoomRecord | None, token: str | None, *, key: str, present: int, now_s: float
) -> dict[str, Any]:
    """Returns the claims of somebody who may join; without a token: none.

    Args:
        room: The one they want to join; None: there is none of that name.
        token: What they show.
        key: The domain's API key.
        present: How many are in it.
        now_s: Unix time.

    Raises:
        MayNotEnter: They can't join.
    """
    if room is None:
        raise MayNotEnter(NO_ROOM)
    if room.expires_at_s is not None and room.expires_at_s <= now_s:
        raise MayNotEnter(EXPIRED_ROOM)
    claims = read_token(token, key=key) if token else {}
    if claims.get("r", room.name) != room.name or (not token and room.privacy == "private"):
        raise MayNotEnter(NOT_ALLOWED)
    if claims.get("exp", now_s + 1) <= now_s:
        raise MayNotEnter(EXPIRED_TOKEN)
    if present >= room.config.get("max_participants", 200):
        raise MayNotEnter(FULL)
    return claims


def _secret(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
