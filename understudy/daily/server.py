"""The stand-in for Daily: starting, being asked, stopping."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from aiohttp import web

from understudy.daily.control import Control
from understudy.daily.dialing import CalledNumber, Does
from understudy.daily.domain import DailyRoom, Domain
from understudy.daily.exchange import Number
from understudy.daily.faults import GENEROUS, Failure, Limits
from understudy.daily.rest import MAX_BODY_BYTES, PREFIX, RestApi
from understudy.daily.session import Sockets

_SHUTDOWN_S = 0.5


class DailyStandIn:
    """Daily on this machine; an async context manager.

    Args:
        api_key: The only key taken.
        hmac: What calls are signed with, base64; None: it makes one up.
        host: Where it listens.
        port: 0 takes a free one.
        limits: How often its API may be asked.
        hold_s: How long a caller waits on hold before Daily gives up.
        sip_ready_s: How long after the first has joined a room telephones can come in.
    """

    def __init__(
        self,
        *,
        api_key: str = "stand-in",
        hmac: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = GENEROUS,
        hold_s: float = 60.0,
        sip_ready_s: float = 0.2,
    ) -> None:
        self.api_key = api_key
        self.hmac = hmac or base64.b64encode(secrets.token_bytes(32)).decode()
        self._host = host
        self._port = port
        self.domain = Domain(
            api_key=api_key, hmac=self.hmac, limits=limits, hold_s=hold_s, sip_ready_s=sip_ready_s
        )
        self._sockets = Sockets(self.domain)

    @property
    def url(self) -> str:
        """For DAILY_API_URL."""
        return self.domain.site + PREFIX

    @property
    def rooms(self) -> dict[str, DailyRoom]:
        """Rooms that exist, by name."""
        return self.domain.rooms

    @property
    def records(self) -> list[dict[str, Any]]:
        """Each request and event, oldest first."""
        return self.domain.records

    async def __aenter__(self) -> DailyStandIn:
        """Starts to listen.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        RestApi(self.domain).add_to(app)
        self._sockets.add_to(app)
        Control(self).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port = self._runner.addresses[0][1]
        self.domain.site = f"http://{self._host}:{port}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Ends all calls and rooms, and stops listening."""
        await self.domain.aclose()
        await self._sockets.aclose()
        await self._runner.cleanup()

    def fail(self, what: str, **how: Any) -> None:
        """Lets something go wrong from now on.

        Args:
            what: A request such as `POST /rooms`, or what a client asks a room for: `join`,
                `start_dialout`, `sip_call_transfer`, `sip_refer`, `send_dtmf`, ...
            **how: Of `understudy.daily.faults.Failure`: `status`, `retry_after_s`, `error`, `times`,
                `delay_s`, `is_done`, `is_cut`, `skip`.
        """
        self.domain.failures.order(Failure(what=what, **how))

    def own_number(
        self, number: str, webhook_url: str, *, message: str = "", hmac: str | None = None
    ) -> None:
        """Has a number's calls announced.

        Args:
            number: In E.164.
            webhook_url: Where to.
            message: What Daily says when nobody picks up in time.
            hmac: What announcements are signed with, base64; None: the stand-in's own.
        """
        self.domain.exchange.numbers[number] = Number(
            phone_number=number,
            webhook_url=webhook_url,
            message=message,
            hmac=self.hmac if hmac is None else hmac,
            id=secrets.token_hex(8),
        )

    def called_number(
        self,
        number: str,
        does: str = "answers",
        *,
        ring_s: float = 0.1,
        says: str = "",
        hangs_up_after_s: float | None = None,
    ) -> CalledNumber:
        """Sets what happens when a room calls a number; others can't be reached.

        Args:
            number: In E.164, or a SIP address.
            does: `answers`, `busy`, `no-answer`, `voicemail` or `fails`.
            ring_s: How long it rings before.
            says: What is said when it is picked up; a voicemail has its announcement.
            hangs_up_after_s: They hang up so long after they picked up; None: they don't.

        Returns:
            Who is called; `calls` are the telephones that picked up.
        """
        called = CalledNumber(
            number=number,
            does=Does(does),
            ring_s=ring_s,
            says=says,
            hangs_up_after_s=hangs_up_after_s,
        )
        self.domain.exchange.called[number] = called
        return called

    def tell(self, room: str, event: str, **data: Any) -> None:
        """Tells a room's clients of an event that nothing here leads to.

        Args:
            room: Which.
            event: As daily-python names it without `on_`: `dialin_error`, `dialin_warning`, ...
            **data: What comes with it.
        """
        self.rooms[room].live.tell(event, data=data)

    def line(
        self,
        room: str,
        participant: str | None = None,
        *,
        quality: int = 100,
        threshold: str | None = None,
        is_interrupted: bool | None = None,
    ) -> None:
        """Sets how good the line of clients is, as daily-python tells it.

        Args:
            room: Of which room.
            participant: Whose, by id; None: all of the room.
            quality: 0 to 100.
            threshold: `good`, `low` or `very-low`; None: by the quality.
            is_interrupted: Whether signalling is, too; None: it is not said.
        """
        by_quality = "good" if quality >= 70 else "low" if quality >= 30 else "very-low"
        stats = {
            "quality": quality,
            "stats": {"latest": {}},
            "threshold": threshold or by_quality,
        }
        for id, member in self.rooms[room].live.members.items():
            if member.sees_events and participant in (None, id):
                member.line.post(event="network_stats", stats=stats)
                if is_interrupted is not None:
                    event = "interrupted" if is_interrupted else "connected"
                    status = {"connection": "signalling", "event": event}
                    member.line.post(event="network_connection", status=status)
