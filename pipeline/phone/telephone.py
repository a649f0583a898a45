"""What a session has beside its conversation when its caller is on the telephone."""

import asyncio
from typing import Any

from loguru import logger
from pipecat.transports.base_transport import BaseTransport

from pipeline.announcements import Announcement
from pipeline.endings import Ended
from pipeline.persona import Persona
from pipeline.phone.about import about, masked
from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.daily_call import DailyCall
from pipeline.phone.dialing import Dialing, Outcome
from pipeline.phone.host import Host
from pipeline.phone.line import Line
from pipeline.phone.signs import Signs
from pipeline.phone.silence import Silence, Silent
from pipeline.phone.tools import PhoneTools
from pipeline.settings import Settings

_LOOK_S = 0.2
IN_A_ROOM = {Provider.DAILY, Provider.SIP, Provider.DIAL_OUT}
"""Whose calls come to a Daily room."""


class Telephone:
    """One call: how it is connected, what the model may do with it, and its silence.

    Args:
        call: Who calls whom.
        transport: The way in.
        line: What can be done with the call; None where it can only be ended.
        settings: Of this server.

    Attributes:
        line_ready: Holds the room's SIP address once it can be called.
        signs: Who is heard, for a session's worker to tell.
    """

    def __init__(
        self, *, call: PhoneCall, transport: BaseTransport, line: Line | None, settings: Settings
    ):
        loop = asyncio.get_running_loop()
        self.line_ready: asyncio.Future[str] = loop.create_future()
        self.signs = Signs(on_caller=self._caller_is_there)
        self._call = call
        self._settings = settings
        self._dialing = Dialing()
        self._dials = call.provider is Provider.DIAL_OUT
        self._silence: Silence | None = None
        self._tools = PhoneTools(
            line=line,
            targets=settings.transfer_targets,
            signs=self.signs,
            on_voicemail=self._voicemail if self._dials else None,
        )
        self._daily: DailyCall | None = None
        if call.provider in IN_A_ROOM:
            self._daily = DailyCall(
                transport=transport,
                call=call,
                settings=settings,
                dialing=self._dialing,
                line_ready=self.line_ready,
            )

    @property
    def is_answered_by_coming(self) -> bool:
        """Whether who comes in has picked up: a telephone that we call is there while it rings."""
        return not self._dials

    def beside(self, persona: Persona) -> dict[str, Any]:
        """What the model may do with the call (`tools`) and is told of it (`about`), for `build`."""
        told = about(self._call, headers=persona.phone_headers)
        return {"tools": self._tools.functions, "about": told}

    # --- its life -------------------------------------------------------------------------------

    def serve(self, host: Host) -> None:
        """Act on a session from now on."""
        self._host = host
        self._tools.serve(host)
        if self._daily:
            self._daily.serve(host)

    async def begin(self) -> None:
        """Write down who calls, and end the session if nobody comes."""
        call = self._call
        self._host.note("call", provider=call.provider, caller=call.caller, called=call.called)
        logger.info(f"{masked(call.caller)} calls {masked(call.called)} ({call.provider})")
        if self._daily:
            await self._daily.watch()

    def connected(self) -> None:
        """Somebody is on the line."""
        if self._daily:
            self._daily.connected()

    async def watch(self) -> None:
        """Ask a silent caller whether they are there, and end a call that stays silent."""
        loop, host = asyncio.get_running_loop(), self._host
        limit_s = self._settings.phone_silence_s
        self._silence = Silence(limit_s=limit_s, now_s=loop.time())
        while True:
            await asyncio.sleep(_LOOK_S)
            is_busy = host.is_busy or self.signs.is_any_heard
            match self._silence.check(loop.time(), is_busy=is_busy):
                case Silent.ASK:
                    await host.say(Announcement.STILL_THERE)
                case Silent.GIVE_UP:
                    why = "Nobody is heard on the line."
                    await host.end(why, Announcement.NO_ANSWER_FROM_YOU, reason=Ended.IDLE)

    async def close(self) -> None:
        """Stop what is still under way."""
        self.line_ready.cancel()
        await self._tools.close()
        if self._daily:
            await self._daily.close()

    @property
    def hang_up(self) -> tuple[Ended, str]:
        """Why the session ends when the other side is gone, and that in a sentence."""
        if name := self._tools.transferred_to:
            return Ended.TRANSFERRED, f"The caller was transferred to {name}."
        if self._dials and self._dialing.outcome is None:
            self._dialing.not_answered()
            self._host.note("dial-out", outcome=self._dialing.outcome)
        return self._dialing.ending or (Ended.USER, "The caller hung up.")

    def _caller_is_there(self) -> None:
        if self._silence:
            self._silence.caller_is_there(asyncio.get_running_loop().time())

    async def _voicemail(self) -> None:
        self._dialing.is_machine()
        self._host.note("dial-out", outcome=Outcome.VOICEMAIL)
        reason, why = self._dialing.ending or (Ended.VOICEMAIL, "")
        await self._host.end(why, None, reason=reason)


def telephone_of(
    told: Any, *, transport: BaseTransport, settings: Settings, line: Line | None = None
) -> Telephone | None:
    """The telephone of a session, if its caller is on one.

    Args:
        told: The call, from the session's arguments; None or anything else: there is none.
        transport: The way in.
        settings: Of this server.
        line: What can be done with the call, where it does not come to a Daily room.
    """
    if not isinstance(told, PhoneCall):
        return None
    if told.provider in IN_A_ROOM:
        from pipecat.transports.daily.transport import DailyTransport

        from pipeline.phone.daily_line import DailyLine

        line = DailyLine(transport) if isinstance(transport, DailyTransport) else line
    return Telephone(call=told, transport=transport, line=line, settings=settings)
