"""Takes telephone calls in, and makes them: what the routes of the telephone ask."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from loguru import logger
from pydantic import SecretStr

from pipeline.announcements import Announcement
from pipeline.phone.call import PhoneCall, Provider
from pipeline.settings import Settings
from pipeline.settings_phone import E164
from serving.access.origins import Headers
from serving.access.webhooks import PINLESS, Webhooks, is_trial
from serving.front_desk import FrontDesk, Guest
from serving.phone.busy_lines import BusyLines
from serving.phone.dial_in import read_dial_in
from serving.phone.guests import guest_of_call
from serving.phone.taken_calls import TakenCalls
from serving.refused import Refused

_BUSY = (429, 503)


class Became(StrEnum):
    """What became of a call that was announced."""

    TRIAL = "trial"
    """It was none: Daily tries whether anybody answers."""
    TAKEN = "taken"
    TAKEN_BEFORE = "taken before"
    BUSY = "busy"
    """They hear that all lines are busy."""


class Switchboard:
    """Brings calls to sessions.

    Args:
        settings: Of this server.
        desk: Where sessions are had.
        busy_lines: Tell callers for whom there is none.
        taken: Which calls have come before.
        time_s: The wall clock.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        desk: FrontDesk,
        busy_lines: BusyLines,
        taken: TakenCalls,
        time_s: Callable[[], float] = time.time,
    ):
        self._settings = settings
        self._desk = desk
        self._busy_lines = busy_lines
        self._taken = taken
        self._webhooks = Webhooks(PINLESS, settings.daily_pinless_hmac_secret)
        self._time_s = time_s

    async def dial_in(self, headers: Headers, body: bytes) -> Became:
        """Take a call that Daily announces.

        Args:
            headers: Of the webhook.
            body: Exactly as it came.

        Raises:
            Refused: When it is not Daily's, or can't be taken; it may be announced again then.
        """
        if is_trial(body):
            return Became.TRIAL
        signature = self._webhooks.check(headers, body, self._time_s())
        try:
            return await self._take(read_dial_in(body))
        except BaseException:
            self._webhooks.forget(signature)
            raise

    async def _take(self, call: PhoneCall) -> Became:
        if self._settings.daily_api_key is None:
            raise Refused(503, "Calls to Daily's numbers need DAILY_API_KEY.")
        if not self._taken.take(call):
            return Became.TAKEN_BEFORE
        try:
            return await self._connect(call)
        except BaseException as error:
            self._taken.forget(call)
            if isinstance(error, Refused) or not isinstance(error, Exception):
                raise
            logger.exception("A telephone call could not be taken")
            raise Refused(503, "The call can't be taken now; please try again.") from None

    async def _connect(self, call: PhoneCall) -> Became:
        persona = self._settings.persona_by_number.get(call.called)
        choices = {"persona": persona} if persona else {}
        try:
            signed = await self._desk.accept("daily", choices, guest_of_call(call))
        except Refused as refused:
            is_busy = refused.status in _BUSY
            logger.log("INFO" if is_busy else "ERROR", f"A call is not taken: {refused}")
            self._busy_lines.tell(call, Announcement.BUSY if is_busy else Announcement.BROKEN)
            return Became.BUSY
        session_id = self._desk.read_id(signed)
        await self._desk.begin_in_room(session_id, sip_name=call.caller, phone=call)
        return Became.TAKEN

    async def dial_out(
        self, to: str, choices: dict[str, Any], guest: Guest, own_key: SecretStr | None = None
    ) -> str:
        """Call a number.

        Args:
            to: The number (E.164).
            choices: Who speaks, and how; see `FrontDesk.accept`.
            guest: Who has it called.
            own_key: Their own key to the model.

        Returns:
            The signed id of the session that speaks.

        Raises:
            Refused: When it can't, or may not, be called.
        """
        if not re.fullmatch(E164, to):
            raise Refused(400, "to must be a telephone number like +15551234567.")
        if not self._settings.may_call(to):
            raise Refused(403, "That number may not be called; SALON_DIAL_OUT_TO says which may.")
        self._desk.check_daily()
        signed = await self._desk.accept("daily", choices, replace(guest, number=to), own_key)
        session_id = self._desk.read_id(signed)
        call = PhoneCall(provider=Provider.DIAL_OUT, call_id=session_id, called=to)
        await self._desk.begin_in_room(session_id, dials_out=True, phone=call)
        return signed
