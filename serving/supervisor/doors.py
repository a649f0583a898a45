"""How a call comes in to its process: by an offer, by a room to join, by an open connection."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException, WebSocket
from loguru import logger
from pipecat.runner.types import (
    DailyRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)
from pipecat.transports.smallwebrtc.connection import IceServer, SmallWebRTCConnection
from pipecat.transports.smallwebrtc.request_handler import (
    IceCandidate,
    SmallWebRTCPatchRequest,
    SmallWebRTCRequest,
    SmallWebRTCRequestHandler,
)
from pydantic import SecretStr

import bot
from pipeline.announcements import Announcement
from pipeline.endings import Ended
from pipeline.phone.call import PhoneCall
from serving.ice_gathering import PortsTakenError
from serving.refused import Refused
from serving.session_files import SessionFiles
from serving.supervisor.handed_over import accept_handed_over

CONNECT_S = 20.0
"""How long after its offer a caller may take to be connected: the slot is kept for nobody else."""

SIP_S = 15.0
"""How long a room may take until telephone calls can be forwarded to it."""

UNUSABLE = "The WebRTC offer can't be used: it must be the SDP of a connection with media."

Bot = Callable[[RunnerArguments], Awaitable[None]]


class Doors:
    """Lets one call in, and knows when it is over.

    Args:
        bot_function: What holds the conversation.
    """

    def __init__(self, bot_function: Bot):
        self._bot = bot_function
        self._webrtc: SmallWebRTCRequestHandler | None = None
        self._connection: SmallWebRTCConnection | None = None
        self._names: set[str] = set()
        self._negotiating = asyncio.Lock()
        self._call: asyncio.Future[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._has_come = asyncio.Event()
        self._is_phone = False

    @property
    def is_called(self) -> bool:
        """Whether the call of this process has come."""
        return self._has_come.is_set()

    async def served(self) -> None:
        """Wait until the call, once it has come, is over."""
        await self._has_come.wait()
        assert self._call
        await asyncio.wait({self._call})
        if self._connecting:
            self._connecting.cancel()
        if self._webrtc:
            await self._webrtc.close()

    async def end(self, why: str, *, reason: Ended = Ended.CLOSING) -> None:
        """Tell the caller why, and hang up.

        Args:
            why: A sentence.
            reason: The same for the log.
        """
        sessions = list(bot.SESSIONS)
        for session in sessions:
            await session.hang_up(why, reason=reason)
        if not sessions and self._call:
            self._call.cancel()  # it has not come so far that there would be somebody to tell

    def report(self) -> dict[str, Any]:
        """What is new of the call, for whoever counts; nothing before there is one."""
        for session in bot.LATEST:
            ended = session.how_it_ended if self._is_phone else {}
            return session.vitals.report() | ({"end": ended} if ended else {})
        return {}

    async def sip_address(self) -> str:
        """The SIP address of the call's room, once a telephone call can be forwarded there.

        Raises:
            Refused: When there is none in time.
        """
        until_s = time.monotonic() + SIP_S
        while not bot.SESSIONS and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # it is being built, and tells nobody when
        ready = next((session.line_ready for session in bot.SESSIONS), None)
        if ready is None:
            raise Refused(409, "This session is not on the telephone.")
        await asyncio.wait({ready}, timeout=until_s - time.monotonic())
        if not ready.done() or ready.cancelled():
            raise Refused(503, "The room is not ready for a telephone call.")
        return ready.result()

    async def begin(
        self, *, way: str, session: str, fd: int | None = None, **details: Any
    ) -> dict[str, Any]:
        """Begin the call of this process.

        Args:
            way: `webrtc`, `daily`, `websocket`, `phone` or `eval`.
            session: The session's identifier.
            fd: An open connection, for a WebSocket.
            details: `body`, what the caller chose; `own_key`, their key to the model, if they
                brought one; `files`, the folder of what they upload; `phone`, the
                telephone call that it is for; and what the way needs: for Daily `room`, its `url`
                and `token`, and `announce`, the announcement that is all the caller is to hear.

        Returns:
            For WebRTC the answer to the offer; nothing otherwise.

        Raises:
            Refused: When the offer can't be used, or the process has had its call.
        """
        if self._call or self._webrtc:
            raise Refused(409, "This session has begun already.")
        bot.LATEST.clear()
        self._is_phone = details.get("phone") is not None
        try:
            return await self._enter(way, session, fd, details)
        finally:
            if self._call is None:
                # Nothing came of it: the process has had its chance.
                self._keep(asyncio.sleep(0))

    async def _enter(
        self, way: str, session: str, fd: int | None, details: dict[str, Any]
    ) -> dict[str, Any]:
        self._is_phone = details.get("phone") is not None
        match way:
            case "webrtc":
                return await self._begin_webrtc(session, **details)
            case "daily":
                self._begin_daily(session, details)
            case "websocket" | "eval" | "phone":
                assert fd is not None
                self._begin_websocket(session, way=way, fd=fd, details=details)
            case _:
                raise Refused(400, f"There is no way in called {way!r}.")
        return {}

    async def offer(self, **offer: Any) -> dict[str, Any]:
        """Negotiate the connection of the running call anew, also when it was closed.

        Of several pages the newest has the call: once its connection has come about, those before
        it can't be renewed.

        Raises:
            Refused: When there is none that the offer could be meant for.
        """
        connection = self._connection
        if not self._webrtc or not connection or self._call is None or self._call.done():
            raise Refused(409, "This session is not connected over WebRTC.")
        async with self._negotiating:
            name = offer.get("pc_id")
            if name is None:
                raise Refused(409, "This session has begun already; start another to connect anew.")
            if name not in self._names:
                raise Refused(
                    409, "This conversation goes on in another page, or over another line."
                )
            # Pipecat 1.14.0 forgets a connection that is closed, and can't go on with what is left.
            self._webrtc._pcs_map[name] = connection
            offer["restart_pc"] = (
                offer.get("restart_pc") or connection.pc.signalingState == "closed"
            )
            return await self._negotiate(offer, self._refuse_second)

    async def candidates(self, *, pc_id: str, candidates: list[dict[str, Any]]) -> dict[str, Any]:
        """Take candidates that the page found after its offer.

        Raises:
            Refused: When they can't be used.
        """
        if not self._webrtc:
            raise Refused(409, "This session is not connected over WebRTC.")
        try:
            await self._webrtc.handle_patch_request(
                SmallWebRTCPatchRequest(
                    pc_id=pc_id, candidates=[IceCandidate(**one) for one in candidates]
                )
            )
        except HTTPException as error:
            raise Refused(error.status_code, f"{error.detail}.") from None
        except Exception as error:
            raise Refused(400, f"The candidates can't be used: {error}.") from None
        return {}

    # --- how each begins ------------------------------------------------------------------------

    async def _begin_webrtc(
        self, session: str, *, offer: dict[str, Any], ice_servers: list[dict[str, Any]], **rest: Any
    ) -> dict[str, Any]:
        self._webrtc = SmallWebRTCRequestHandler([IceServer(**one) for one in ice_servers] or None)

        async def begin(connection: SmallWebRTCConnection) -> None:
            if not (connection.pc.getTransceivers() or connection.pc.sctp):
                return  # aiortc takes any text for an offer of nothing
            common = _common(session, rest)
            self._connection = connection
            self._remember(connection)
            self._begin(SmallWebRTCRunnerArguments(webrtc_connection=connection, **common))
            self._connecting = asyncio.create_task(self._expect(connection))

        answer = await self._negotiate(offer, begin)
        if self._call is None:
            raise Refused(400, UNUSABLE)
        return answer

    def _remember(self, connection: SmallWebRTCConnection) -> None:
        """Know by which name the caller has the connection; the answer with a new one may get lost."""
        assert self._webrtc
        pcs = self._webrtc._pcs_map

        @connection.event_handler("connected")
        async def on_connected(connection: SmallWebRTCConnection) -> None:
            for former in self._names - {connection.pc_id}:
                pcs.pop(former, None)
            self._names = {connection.pc_id}

    async def _expect(self, connection: SmallWebRTCConnection) -> None:
        """Hang up on who never connects: Pipecat's own limit is a minute, or none at all."""
        is_connected = asyncio.Event()

        @connection.event_handler("connected")
        async def on_connected(connection: SmallWebRTCConnection) -> None:
            is_connected.set()

        if connection.pc.connectionState == "connected":
            return
        try:
            await asyncio.wait_for(is_connected.wait(), CONNECT_S)
        except TimeoutError:
            await self.end("The connection did not come about in time.")

    async def _negotiate(
        self,
        offer: dict[str, Any],
        begin: Callable[[SmallWebRTCConnection], Awaitable[None]],
    ) -> dict[str, Any]:
        assert self._webrtc
        try:
            answer = await self._webrtc.handle_web_request(SmallWebRTCRequest(**offer), begin)
        except PortsTakenError as error:
            raise Refused(503, str(error)) from None
        except Exception as error:
            # aiortc raises almost anything for an offer that it can't read.
            logger.debug(f"An offer was refused: {error!r}")
            raise Refused(400, UNUSABLE) from None
        assert answer
        self._names.add(answer["pc_id"])
        return answer

    @staticmethod
    async def _refuse_second(connection: SmallWebRTCConnection) -> None:
        await connection.disconnect()

    def _begin_daily(self, session: str, details: dict[str, Any]) -> None:
        room = details["room"]
        common = _common(session, details)
        args = DailyRunnerArguments(room_url=room["url"], token=room["token"], **common)
        if announcement := details.get("announce"):
            self._keep(_announce(args, Announcement[announcement]))
        else:
            self._begin(args)

    def _begin_websocket(self, session: str, *, way: str, fd: int, details: dict[str, Any]) -> None:
        async def converse(websocket: WebSocket) -> None:
            await self._bot(
                WebSocketRunnerArguments(
                    websocket=websocket,
                    transport_type="websocket" if way == "websocket" else None,
                    **_common(session, details),
                )
            )

        head = details["head"].encode("latin-1")
        self._keep(accept_handed_over(os.dup(fd), head, converse))

    def _begin(self, args: RunnerArguments) -> None:
        self._keep(self._bot(args))

    def _keep(self, call: Awaitable[None]) -> None:
        self._call = asyncio.ensure_future(call)
        self._has_come.set()


async def _announce(args: DailyRunnerArguments, announcement: Announcement) -> None:
    from pipeline.phone.busy import announce  # it needs Daily's library

    await announce(args, announcement)


def _common(session: str, details: dict[str, Any]) -> dict[str, Any]:
    own_key, phone = details.get("own_key"), details.get("phone")
    beside = {bot.OWN_KEY: SecretStr(own_key)} if own_key else {}
    beside |= {bot.PHONE: PhoneCall.of(phone)} if phone else {}
    return {
        "session_id": session,
        "body": details["body"] | beside,
        "file_storage": SessionFiles(Path(details["files"])),
    }
