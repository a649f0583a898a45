"""The WebSockets: of clients in a room, and of telephones."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from understudy.daily.calls import Call, CallState
from understudy.daily.domain import DailyRoom, Domain
from understudy.daily.line import Line
from understudy.daily.live import Member
from understudy.daily.requests import Requests
from understudy.daily.rooms import MayNotEnter, check
from understudy.daily.wire import MAX_MESSAGE_BYTES

_PING_S = 20.0


class Sockets:
    """Serves both kinds.

    Args:
        domain: What they are about.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._lines: set[Line] = set()

    def add_to(self, app: web.Application) -> None:
        """Mounts it."""
        app.router.add_get("/media/{name}", self._serve_client)
        app.router.add_get("/telephone", self._serve_telephone)

    async def aclose(self) -> None:
        """Closes all."""
        for line in list(self._lines):
            await line.close()

    async def _open(self, request: web.Request) -> Line:
        socket = web.WebSocketResponse(
            heartbeat=_PING_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False
        )
        await socket.prepare(request)
        line = Line(socket)
        self._lines.add(line)
        return line

    async def _serve_client(self, request: web.Request) -> web.WebSocketResponse:
        line = await self._open(request)
        try:
            hello = await line.socket.receive_json()
            await self._meet(line, request.match_info["name"], hello)
        except (TypeError, ValueError):
            self._domain.note("unreadable", what="a client's greeting")
        finally:
            self._lines.discard(line)
            await line.close()
        return line.socket

    async def _meet(self, line: Line, name: str, hello: dict[str, Any]) -> None:
        failure = self._domain.failures.take("join")
        room = self._domain.rooms.get(name)
        try:
            if failure is not None:
                raise MayNotEnter(failure.error or "as ordered of the stand-in")
            claims = check(
                room.record if room else None,
                hello.get("token"),
                key=self._domain.api_key,
                present=len(room.live.members) if room else 0,
                now_s=time.time(),
            )
        except MayNotEnter as refused:
            self._domain.note("refused", room=name, why=str(refused))
            line.post(event="refused", why=str(refused))
            return
        assert room is not None
        member = Member(
            line=line,
            name=claims.get("u") or hello.get("name") or "",
            is_owner=bool(claims.get("o")),
            on=list(hello.get("on", [])),
        )
        others = [other.as_dict() for other in room.live.members.values()]
        line.post(
            event="joined",
            session=room.live.session_id,
            participant=member.as_dict(),
            others=others,
        )
        room.live.enter(member)
        if room.sip is not None:
            room.sip.begin()
        eviction = None
        if claims.get("ejt"):
            loop = asyncio.get_running_loop()
            eviction = loop.call_later(claims["exp"] - time.time(), room.live.eject, [member])
        try:
            await self._follow(room, member)
        finally:
            room.live.leave(member)
            if eviction is not None:
                eviction.cancel()

    async def _follow(self, room: DailyRoom, member: Member) -> None:
        requests = Requests(self._domain, room, member)
        async for message in member.line.socket:
            if message.type is WSMsgType.BINARY:
                room.live.pass_on(member, message.data)
            elif message.type is WSMsgType.TEXT:
                asked = json.loads(message.data)
                if asked.get("do") == "leave":
                    return
                requests.take(asked)

    async def _serve_telephone(self, request: web.Request) -> web.WebSocketResponse:
        line = await self._open(request)
        call: Call | None = None
        try:
            asked = await line.socket.receive_json()
            call = self._domain.exchange.connect(line, asked)
            async for message in line.socket:
                if message.type is WSMsgType.BINARY:
                    call.hear(message.data)
                elif message.type is WSMsgType.TEXT:
                    told = json.loads(message.data)
                    if told["do"] == "press":
                        call.press(told["tones"])
                    elif told["do"] == "hang up":
                        break
                if call.state is CallState.ENDED:
                    break
        except (TypeError, ValueError, KeyError):
            self._domain.note("unreadable", what="a telephone's message")
        finally:
            if call is not None:
                call.end("the caller hung up")
            self._lines.discard(line)
            await line.close()
        return line.socket
