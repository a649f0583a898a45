"""Daily's REST API, as far as it is played here."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from understudy.daily import webhooks
from understudy.daily.domain import DailyRoom, Domain
from understudy.daily.exchange import Number
from understudy.daily.faults import Failure
from understudy.daily.rooms import (
    BadRequest,
    MayNotEnter,
    changed,
    described,
    new_room,
    new_token,
    read_token,
)

PREFIX = "/v1"
MAX_BODY_BYTES = 262_144
_MAX_LISTED = 100
_ERRORS = {
    400: "invalid-request-error",
    401: "authentication-error",
    403: "forbidden-error",
    404: "not-found",
    429: "rate-limit-error",
}

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what is in its path behind the collection, its body, and its query."""

    name: str
    body: dict[str, Any]
    query: dict[str, str]


def error(status: int, info: str, kind: str | None = None) -> Answer:
    """An answer in the form of Daily's errors."""
    return status, {"error": kind or _ERRORS.get(status, "server-error"), "info": info}


class RestApi:
    """Answers requests.

    Args:
        domain: What they are about.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._routes: dict[tuple[str, str], Callable[[Asked], Answer | Awaitable[Answer]]] = {
            ("POST", "/rooms"): self._create_room,
            ("GET", "/rooms"): self._list_rooms,
            ("GET", "/rooms/:name"): self._get_room,
            ("POST", "/rooms/:name"): self._change_room,
            ("DELETE", "/rooms/:name"): self._delete_room,
            ("GET", "/rooms/:name/presence"): self._get_presence,
            ("GET", "/presence"): self._get_all_presence,
            ("POST", "/meeting-tokens"): self._create_token,
            ("GET", "/meeting-tokens/:name"): self._get_token,
            ("POST", "/dialin/pinlessCallUpdate"): self._forward,
            ("GET", "/domain-dialin-config"): self._list_numbers,
            ("POST", "/domain-dialin-config"): self._add_number,
            ("GET", "/domain-dialin-config/:name"): self._get_number,
            ("PUT", "/domain-dialin-config/:name"): self._change_number,
            ("DELETE", "/domain-dialin-config/:name"): self._delete_number,
        }

    def add_to(self, app: web.Application) -> None:
        """Mounts it."""
        app.router.add_route("*", f"{PREFIX}/{{path:.*}}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"].strip("/")
        label = f"{request.method} {path}"
        failure = self._domain.failures.take(label)
        is_carried_out = failure is None or failure.is_done or failure.status is None
        body = await request.read()
        if failure is not None and failure.delay_s:
            await asyncio.sleep(failure.delay_s)
        status, value = 0, None
        if is_carried_out and not (failure is not None and failure.is_cut and not failure.is_done):
            status, value = await self._answer(request, label, path, body)
        self._note(label, body, status, failure)
        if failure is not None and failure.is_cut and request.transport is not None:
            request.transport.abort()
        headers = {}
        if failure is not None and failure.status is not None:
            status, value = error(failure.status, failure.error or "as ordered of the stand-in")
            if failure.retry_after_s is not None:
                headers["Retry-After"] = str(failure.retry_after_s)
        return web.json_response(value, status=status or 500, headers=headers)

    async def _answer(self, request: web.Request, label: str, path: str, body: bytes) -> Answer:
        authorization = request.headers.get("Authorization", "")
        if not authorization.startswith("Bearer "):
            info = "bad Authorization header format"
            return error(400, info, "authorization-header-error")
        if authorization.removeprefix("Bearer ") != self._domain.api_key:
            return error(401, "the API key is not valid")
        if not self._domain.rates.allows(label, time.monotonic()):
            return error(429, "too many requests")
        pattern, name = _split(path)
        if (route := self._routes.get((request.method, pattern))) is None:
            return error(404, f"there is no {label}")
        try:
            fields = json.loads(body) if body.strip() else {}
        except ValueError:
            return error(400, "the body is not JSON", "json-parsing-error")
        if not isinstance(fields, dict):
            return error(400, "the body must be an object")
        try:
            answer = route(Asked(name, fields, dict(request.query)))
            return answer if isinstance(answer, tuple) else await answer
        except BadRequest as refused:
            return error(400, str(refused))

    def _note(self, label: str, body: bytes, status: int, failure: Failure | None) -> None:
        try:
            told = json.loads(body) if body else None
        except ValueError:
            told = None
        if isinstance(told, dict):
            told.pop("hmac", None)
        shown = failure.status if failure is not None and failure.status else status
        if label.startswith("GET /meeting-tokens/"):
            label = "GET /meeting-tokens/..."
        self._domain.note("request", request=label, body=told, status=shown)

    def _room(self, name: str) -> DailyRoom | None:
        return self._domain.rooms.get(name)

    def _create_room(self, asked: Asked) -> Answer:
        record = new_room(asked.body, site=self._domain.site, now_s=time.time())
        return 200, self._domain.add(record).record.as_dict()

    def _list_rooms(self, asked: Asked) -> Answer:
        limit = asked.query.get("limit", "")
        shown = int(limit) if limit.isdecimal() else _MAX_LISTED
        rooms = [room.record.as_dict() for room in self._domain.rooms.values()]
        return 200, {"total_count": len(rooms), "data": rooms[: min(shown, _MAX_LISTED)]}

    def _get_room(self, asked: Asked) -> Answer:
        room = self._room(asked.name)
        return (200, room.record.as_dict()) if room else error(404, f"room {asked.name} not found")

    def _change_room(self, asked: Asked) -> Answer:
        if (room := self._room(asked.name)) is None:
            return error(404, f"room {asked.name} not found")
        room.record = changed(room.record, asked.body, time.time())
        room.watch_expiry()
        return 200, room.record.as_dict()

    def _delete_room(self, asked: Asked) -> Answer:
        if not self._domain.delete(asked.name):
            return error(404, f"room {asked.name} not found")
        return 200, {"deleted": True, "name": asked.name}

    def _get_presence(self, asked: Asked) -> Answer:
        if (room := self._room(asked.name)) is None:
            return error(404, f"room {asked.name} not found")
        people = _present(room)
        return 200, {"total_count": len(people), "data": people}

    def _get_all_presence(self, asked: Asked) -> Answer:
        there = {name: _present(room) for name, room in self._domain.rooms.items()}
        return 200, {name: people for name, people in there.items() if people}

    def _create_token(self, asked: Asked) -> Answer:
        properties = asked.body.get("properties") or {}
        if not isinstance(properties, dict):
            raise BadRequest("properties must be an object")
        key = self._domain.api_key
        return 200, {"token": new_token(properties, key=key, now_s=time.time())}

    def _get_token(self, asked: Asked) -> Answer:
        try:
            return 200, described(read_token(asked.name, key=self._domain.api_key))
        except MayNotEnter as refused:
            return error(400, str(refused))

    def _forward(self, asked: Asked) -> Answer:
        names = ("callId", "callDomain", "sipUri")
        if missing := [name for name in names if not isinstance(asked.body.get(name), str)]:
            raise BadRequest(f"missing required parameter: {missing[0]}")
        self._domain.exchange.forward(*(asked.body[name] for name in names))
        return 200, {"ok": "true"}

    def _list_numbers(self, asked: Asked) -> Answer:
        numbers = [_shown(number) for number in self._domain.exchange.numbers.values()]
        return 200, {"total_count": len(numbers), "data": numbers}

    def _get_number(self, asked: Asked) -> Answer:
        number = self._number(asked.name)
        return (200, _shown(number)) if number else error(404, "there is no such config")

    async def _add_number(self, asked: Asked) -> Answer:
        numbers = self._domain.exchange.numbers
        if asked.body.get("type", "pinless_dialin") != "pinless_dialin":
            raise BadRequest("the stand-in has pinless_dialin only")
        if asked.body.get("phone_number") in numbers:
            raise BadRequest("phone_number is already in use")
        hmac = asked.body.get("hmac") or self._domain.exchange.hmac
        blank = Number(phone_number="", webhook_url="", hmac=hmac, id=str(uuid.uuid4()))
        return await self._set_number(blank, asked.body)

    async def _change_number(self, asked: Asked) -> Answer:
        if (number := self._number(asked.name)) is None:
            return error(404, "there is no such config")
        return await self._set_number(number, asked.body)

    async def _set_number(self, number: Number, body: dict[str, Any]) -> Answer:
        message = (body.get("timeout_config") or {}).get("message", number.message)
        number = replace(
            number,
            phone_number=body.get("phone_number", number.phone_number),
            webhook_url=body.get("room_creation_api", number.webhook_url),
            hmac=body.get("hmac", number.hmac),
            message=message,
        )
        if not number.phone_number or not number.webhook_url:
            raise BadRequest("phone_number and room_creation_api are needed")
        posted = {"Content-Type": "application/json"}
        status = await self._domain.exchange.post(number.webhook_url, webhooks.TRIAL, posted)
        if status != 200:
            raise BadRequest(f"room_creation_api did not answer 200: {status or 'no answer'}")
        numbers = self._domain.exchange.numbers
        for known in [n for n, kept in numbers.items() if kept.id == number.id]:
            del numbers[known]
        numbers[number.phone_number] = number
        return 200, _shown(number)

    def _delete_number(self, asked: Asked) -> Answer:
        if (number := self._number(asked.name)) is None:
            return error(404, "there is no such config")
        del self._domain.exchange.numbers[number.phone_number]
        return 200, {"deleted": True, "id": number.id}

    def _number(self, id: str) -> Number | None:
        return next((n for n in self._domain.exchange.numbers.values() if n.id == id), None)


def _split(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    if parts[0] == "dialin" or len(parts) == 1:
        return path, ""
    return "/".join(["", parts[0], ":name", *parts[2:]]), parts[1]


def _present(room: DailyRoom) -> list[dict[str, Any]]:
    return [
        {
            "id": member.id,
            "room": room.record.name,
            "userId": None,
            "userName": member.name,
            "mtgSessionId": room.live.session_id,
            "joinTime": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(member.joined_at_s)),
            "duration": int(time.time() - member.joined_at_s),
        }
        for member in room.live.members.values()
    ]


def _shown(number: Number) -> dict[str, Any]:
    config: dict[str, Any] = {
        "phone_number": number.phone_number,
        "hmac": number.hmac,
        "room_creation_api": number.webhook_url,
    }
    if number.message:
        config["timeout_config"] = {"message": number.message}
    return {"id": number.id, "type": "pinless_dialin", "config": config}
