"""A call in a Daily room: how it is connected, and what Daily tells of it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from loguru import logger
from pipecat.transports.base_transport import BaseTransport

from pipeline.endings import Ended
from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.dialing import Dialing, reason_of
from pipeline.phone.host import Host
from pipeline.phone.pick_up import PICK_UP_S, PickUpError, pick_up
from pipeline.settings import Settings

CONNECT_S = 60.0
"""How long a caller may take to be connected, from the session's beginning."""
RING_S = 60.0
"""How long a telephone rings that we call."""


class DailyCall:
    """Picks up, or dials, and tells the session when somebody is there and when they are not.

    Args:
        transport: The bot's place in the room: Pipecat's `DailyTransport`.
        call: The call.
        settings: With Daily's address and key.
        dialing: What becomes of a call that we make.
        line_ready: Gets the room's SIP address.
    """

    def __init__(
        self,
        *,
        transport: BaseTransport,
        call: PhoneCall,
        settings: Settings,
        dialing: Dialing,
        line_ready: asyncio.Future[str],
    ):
        self._transport: Any = transport
        self._call = call
        self._settings = settings
        self._dialing = dialing
        self._line_ready = line_ready
        self._began_s = asyncio.get_running_loop().time()
        self._is_connected = asyncio.Event()
        self._picking_up: asyncio.Task[None] | None = None
        self._is_tried = False

    def serve(self, host: Host) -> None:
        """Tell a session what becomes of the call."""
        self._host = host
        # Pipecat 1.14.0 takes every message of a room for one of a page, and fails on one that is
        # no object; who is on the telephone has no page, and nobody else has a say.
        self._transport.input().push_app_message = _pass_over
        if self._call.provider is Provider.DIAL_OUT:
            self._listen_to_dialing()
        else:
            self._listen_to_dial_in()

    async def watch(self) -> None:
        """End the session if nobody is there in time."""
        dials = self._call.provider is Provider.DIAL_OUT
        try:
            async with asyncio.timeout(RING_S if dials else CONNECT_S):
                await self._is_connected.wait()
        except TimeoutError:
            if dials:
                self._dialing.not_answered()
                await self._dialing_failed()
            else:
                await self._fail("The caller was not connected in time.")

    async def close(self) -> None:
        """Stop what is still under way."""
        if self._picking_up:
            self._picking_up.cancel()
            await asyncio.gather(self._picking_up, return_exceptions=True)

    def connected(self) -> None:
        """They are there."""
        self._is_connected.set()

    # --- a call that comes in -------------------------------------------------------------------

    def _listen_to_dial_in(self) -> None:
        transport, host = self._transport, self._host

        @transport.event_handler("on_dialin_ready")
        async def on_dialin_ready(transport: Any, sip_address: str):
            if not self._line_ready.done():
                self._line_ready.set_result(sip_address)
            if self._call.provider is Provider.DAILY and self._picking_up is None:
                self._picking_up = asyncio.create_task(self._pick_up(sip_address))

        @transport.event_handler("on_dialin_connected")
        async def on_dialin_connected(transport: Any, data: Any):
            host.arrived()

        @transport.event_handler("on_dialin_stopped")
        async def on_dialin_stopped(transport: Any, data: Any):
            await host.caller_left()

        @transport.event_handler("on_dialin_error")
        async def on_dialin_error(transport: Any, data: Any):
            await self._fail(f"The caller could not be connected: {reason_of(data) or 'no reason'}")

    async def _pick_up(self, sip_address: str) -> None:
        within_s = self._began_s + PICK_UP_S - asyncio.get_running_loop().time()
        try:
            await pick_up(
                self._call, sip_address=sip_address, settings=self._settings, within_s=within_s
            )
        except PickUpError as error:
            # An answer that got lost may have connected them all the same.
            if not self._is_connected.is_set():
                await self._fail(str(error))

    async def _fail(self, why: str) -> None:
        await self._host.leave(why, reason=Ended.FAILURE)

    # --- a call that we make --------------------------------------------------------------------

    def _listen_to_dialing(self) -> None:
        transport, host, dialing = self._transport, self._host, self._dialing

        @transport.event_handler("on_joined")
        async def on_joined(transport: Any, data: Any):
            if self._is_tried:
                return
            self._is_tried = True
            kind = "sipUri" if "@" in self._call.called else "phoneNumber"
            _, error = await transport.start_dialout({kind: self._call.called})
            if error:
                dialing.failed(str(error))
                await self._dialing_failed()

        @transport.event_handler("on_dialout_answered")
        async def on_dialout_answered(transport: Any, data: Any):
            dialing.answered()
            host.note("dial-out", outcome=dialing.outcome)
            host.arrived()

        @transport.event_handler("on_dialout_stopped")
        async def on_dialout_stopped(transport: Any, data: Mapping[str, Any]):
            dialing.stopped(data)
            await self._dialing_failed()
            await host.caller_left()

        @transport.event_handler("on_dialout_error")
        async def on_dialout_error(transport: Any, data: Any):
            dialing.failed(reason_of(data))
            await self._dialing_failed()

    async def _dialing_failed(self) -> None:
        if (ending := self._dialing.ending) and not self._is_connected.is_set():
            reason, why = ending
            logger.info(f"Nobody is on the line: {why}")
            self._host.note("dial-out", outcome=self._dialing.outcome)
            await self._host.leave(why, reason=reason)


async def _pass_over(message: Any, sender: str) -> None:
    pass
