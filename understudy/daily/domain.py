"""A Daily domain: its rooms, numbers and calls, and what is ordered to go wrong."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

from understudy.daily.exchange import Exchange
from understudy.daily.faults import GENEROUS, Failures, Limits, Rates
from understudy.daily.live import ROOM_GONE, LiveRoom
from understudy.daily.rooms import BadRequest, RoomRecord
from understudy.daily.sip import SipDoor

MAX_RECORDS = 100_000


class DailyRoom:
    """A room that exists.

    Attributes:
        record: As the REST API has it.
        live: Who is in it.
        sip: Where telephones come in; None: they can't.
    """

    def __init__(self, domain: Domain, record: RoomRecord) -> None:
        self.record = record
        self.live = LiveRoom(record.name, domain.note)
        self.sip = SipDoor(domain, self) if record.sip_uri else None
        self._domain = domain
        self._expiry: asyncio.TimerHandle | None = None
        self.watch_expiry()

    def watch_expiry(self) -> None:
        """Takes note of when the room's time is over."""
        if self._expiry is not None:
            self._expiry.cancel()
        if (expires_at_s := self.record.expires_at_s) is not None:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(max(0.0, expires_at_s - time.time()), self._expire)

    def close(self) -> None:
        """Makes everybody leave."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self.sip is not None:
            self.sip.close()
        self.live.eject(list(self.live.members.values()), ROOM_GONE)

    def _expire(self) -> None:
        self._domain.note("room expired", room=self.record.name)
        if self.record.config.get("eject_at_room_exp") or not self.live.members:
            self._domain.delete(self.record.name)


class Domain:
    """What belongs to one API key.

    Args:
        api_key: Its key.
        hmac: What calls to its numbers are signed with, base64, unless a number has its own.
        limits: How often its API may be asked.
        hold_s: How long a caller waits on hold before Daily gives up.
        sip_ready_s: How long after the first has joined telephones can come in.
    """

    def __init__(
        self,
        *,
        api_key: str,
        hmac: str,
        limits: Limits = GENEROUS,
        hold_s: float = 60.0,
        sip_ready_s: float = 0.2,
    ) -> None:
        self.api_key = api_key
        self.site = ""
        self.sip_ready_s = sip_ready_s
        self.rates = Rates(limits)
        self.failures = Failures()
        self.rooms: dict[str, DailyRoom] = {}
        self.exchange = Exchange(self, hmac=hmac, hold_s=hold_s)
        self._records: deque[dict[str, Any]] = deque(maxlen=MAX_RECORDS)
        self._start_s = time.monotonic()

    @property
    def records(self) -> list[dict[str, Any]]:
        """Requests and events, oldest first."""
        return list(self._records)

    def note(self, event: str, **fields: Any) -> None:
        """Takes note of something; never of a key or token."""
        elapsed_s = round(time.monotonic() - self._start_s, 3)
        self._records.append({"t": elapsed_s, "event": event, **fields})

    def add(self, record: RoomRecord) -> DailyRoom:
        """Makes a room.

        Raises:
            BadRequest: There is one of that name.
        """
        if record.name in self.rooms:
            raise BadRequest(f"a room named {record.name} already exists")
        self.rooms[record.name] = room = DailyRoom(self, record)
        return room

    def delete(self, name: str) -> bool:
        """Deletes a room, which makes everybody in it leave; False: there is none."""
        if (room := self.rooms.pop(name, None)) is None:
            return False
        self.note("room deleted", room=name)
        room.close()
        return True

    def room_of_sip(self, uri: str) -> DailyRoom | None:
        """The room at a SIP address, with or without its scheme."""
        address = uri.removeprefix("sip:").partition(";")[0]
        return next((r for r in self.rooms.values() if r.record.sip_uri == address), None)

    async def aclose(self) -> None:
        """Ends all calls and rooms."""
        await self.exchange.aclose()
        for name in list(self.rooms):
            self.delete(name)
