"""Takes calls in: what a caller may have, a slot for it, and the process that serves it."""

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loguru import logger
from pydantic import SecretStr

from pipeline.choices import ChoiceError, read_choices
from pipeline.persona import PersonaError
from pipeline.phone.call import PhoneCall
from pipeline.settings import Settings
from serving.access.own_keys import check_own_key, hash_of
from serving.access.session_ids import SessionIds
from serving.admission.admission import CallRequest, Refusal
from serving.admission.dispatcher import Dispatcher, LeaseError
from serving.known_sessions import KnownSessions, taken
from serving.refused import Refused
from serving.rooms import Room, room_lifetime_s
from serving.supervisor.process import ProcessFailed

WAYS = ("webrtc", "daily", "websocket")
HAS_BEGUN = "This session has begun already; start another."
HAS_ENDED = "This session is over; start another."
KEY_IS_GONE = (
    "The server was replaced meanwhile and does not have your Gemini API key; please start again."
)


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Who asks.

    Parameters:
        client: Their address; None: they call by telephone.
        caller: By which key or token they were let in; None: nobody was asked.
        number: The telephone number that calls, or is called; None: none is known.
    """

    client: str | None
    caller: str | None = None
    number: str | None = None


class FrontDesk(KnownSessions):
    """What the routes ask of the server.

    Args:
        settings: Of this server.
        folder: The run folder.
        dispatcher: Who leases slots.
        ids: Signs session ids and reads them.
    """

    def __init__(
        self, *, settings: Settings, folder: Path, dispatcher: Dispatcher, ids: SessionIds
    ):
        super().__init__(settings=settings, folder=folder, dispatcher=dispatcher)
        self._ids = ids

    # --- a call is accepted ---------------------------------------------------------------------

    async def accept(
        self,
        way: str,
        choices: dict[str, Any],
        guest: Guest,
        own_key: SecretStr | None = None,
        *,
        phone: PhoneCall | None = None,
    ) -> str:
        """Keep a slot for a call.

        Args:
            way: `webrtc`, `daily`, `websocket` or `phone`.
            choices: What the caller chose; it is checked.
            guest: Who calls.
            own_key: The caller's own key to the model; it is kept in memory until the call begins.
            phone: The telephone call that it is.

        Returns:
            The signed session id.

        Raises:
            Refused: When it can't be had, or not now.
        """
        self._check(choices, own_key)
        signed = self._ids.issue()
        session_id = self.read_id(signed)
        await self._reserve(session_id, guest, own_key)
        accepted = {
            "way": way,
            "body": choices,
            "guest": asdict(guest),
            "has_own_key": own_key is not None,
            "phone": phone.as_dict() if phone else None,
        }
        try:
            self._path(session_id, "start").write_text(json.dumps(accepted))
        except OSError as error:
            await self.forget(session_id)
            logger.error(f"A call can't be kept in the run folder: {error}")
            raise Refused(503, "The server can't take calls now; please try later.") from None
        self._own_keys.keep(session_id, own_key)
        return signed

    async def _reserve(self, session_id: str, guest: Guest, own_key: SecretStr | None) -> None:
        request = CallRequest(
            session_id=session_id,
            client=guest.client,
            caller=guest.caller,
            number=guest.number,
            model_key=hash_of(own_key or self._settings.google_api_key),
            has_own_key=own_key is not None,
        )
        try:
            await self._dispatcher.offer(request)
        except Refusal as refusal:
            headers = {"Retry-After": str(refusal.retry_after_s)}
            refused = Refused(refusal.status, refusal.sentence, headers, why=refusal.why)
            if refusal.is_for_all:
                self.turnstile.close(refused)
            raise refused from None

    def _check(self, choices: dict[str, Any], own_key: SecretStr | None) -> None:
        check_own_key(own_key, self._settings.model_key)
        try:
            read_choices(choices, self._settings)
        except (ChoiceError, PersonaError) as error:
            raise Refused(400, str(error)) from None

    def read_id(self, signed: str) -> str:
        """The session of a signed id.

        Raises:
            Refused: When it is not one of ours, or too old.
        """
        return self._ids.read(signed, is_running=self.is_told_of)

    def check_daily(self, *, for_browser: bool = False) -> None:
        """See whether there is what a Daily room needs.

        Args:
            for_browser: Whether a browser is to enter it; it can't where Daily is a stand-in.

        Raises:
            Refused: When there is not.
        """
        settings = self._settings
        if settings.daily_api_key is None or (for_browser and not settings.offers_rooms):
            raise Refused(400, "Daily rooms need DAILY_API_KEY.")

    # --- a call begins --------------------------------------------------------------------------

    async def begin(
        self, session_id: str, *, way: str, fd: int | None = None, **details: Any
    ) -> Any:
        """Give an accepted call to a process.

        Args:
            session_id: The session.
            way: How it comes in; it must be as it was accepted.
            fd: An open connection that goes along.
            details: What the way needs.

        Raises:
            Refused: When it has begun already, was accepted too long ago, or can't begin.
        """
        try:
            started = json.loads(self._path(session_id, "start").read_text())
        except (OSError, ValueError):
            raise Refused(409, HAS_BEGUN) from None
        if started["way"] != way:
            raise Refused(
                409, f"This session was started for {started['way']}; start another for {way}."
            )
        own_key = self._own_keys.of(session_id)
        if started.get("has_own_key") and own_key is None:
            await self.forget(session_id)
            raise Refused(409, KEY_IS_GONE)
        # Once more: it may have been another server that accepted it, before we took over.
        await self._reserve(session_id, Guest(**started["guest"]), own_key)
        try:
            lease = await self._dispatcher.lease(session_id)
        except LeaseError as error:
            raise Refused(409, str(error)) from None
        self._beginning[session_id] = asyncio.Event()
        try:
            question = self._claim(session_id, started)
            if own_key:
                self._own_keys.forget(session_id)
                question["own_key"] = own_key.get_secret_value()
            reply = await lease.server.begin(session_id, question | details, fd=fd)
        except ProcessFailed as error:
            logger.error(str(error))
            raise Refused(503, "The call could not be begun; please try again.") from None
        finally:
            self._beginning.pop(session_id).set()
            if not self.is_running(session_id):
                await self.forget(session_id)
        return taken(reply)

    def _claim(self, session_id: str, started: dict[str, Any]) -> dict[str, Any]:
        """What a process is told of its call; of two servers on this folder one gets it."""
        files = self.files(session_id)
        try:
            self._path(session_id, "start").unlink()
            files.create()
        except FileNotFoundError:
            raise Refused(409, HAS_BEGUN) from None
        except OSError as error:
            logger.error(f"Session {session_id} can't have its folder: {error}")
            raise Refused(503, "The server can't take calls now; please try later.") from None
        told = {"way": started["way"], "body": started["body"], "files": str(files.folder)}
        return told | ({"phone": started["phone"]} if started.get("phone") else {})

    async def begin_in_room(
        self,
        session_id: str,
        *,
        url: str | None = None,
        sip_name: str | None = None,
        dials_out: bool = False,
        phone: PhoneCall | None = None,
    ) -> Room:
        """Give an accepted call to a process, in a Daily room; the room is deleted with the call.

        Args:
            session_id: The session.
            url: A room that is there already, which is left as it is; None: that of
                `DAILY_ROOM_URL`, or one is made. For a telephone call one is always made.
            sip_name: As whom a telephone call that is forwarded to the room is shown.
            dials_out: Whether the room calls somebody.
            phone: The telephone call that it is for.

        Raises:
            Refused: When there is no room to be had, or as `begin` says; there is nothing left then.
        """
        lifetime_s = room_lifetime_s(self._settings, is_phone=phone is not None)
        if phone is None:
            url = url or self._settings.daily_room_url
        try:
            if url:
                room = await self.rooms.enter(url, lifetime_s=lifetime_s)
            else:
                room = await self.rooms.make(
                    session_id, lifetime_s=lifetime_s, sip_name=sip_name, dials_out=dials_out
                )
            await self.begin(
                session_id,
                way="daily",
                room={"url": room.url, "token": room.token},
                phone=phone.as_dict() if phone else None,
            )
        except BaseException:
            if not self.is_running(session_id):
                await self.forget(session_id)
            raise
        return room

    async def join(self, room: str) -> str:
        """Begin a session in a room that is there, for whoever runs this server.

        Returns:
            The session.

        Raises:
            Refused: As `accept` and `begin_in_room` say.
        """
        session_id = self.read_id(await self.accept("daily", {}, Guest(client="local")))
        await self.begin_in_room(session_id, url=room)
        return session_id

    async def offer(self, session_id: str, offer: dict[str, Any]) -> Any:
        """Take a WebRTC offer: the first begins the call, a later one renews its connection.

        Raises:
            Refused: When it can't be used.
        """
        if self.is_running(session_id):
            return await self.ask(session_id, {"do": "offer", **offer})
        if offer.get("pc_id") and not self._path(session_id, "start").exists():
            raise Refused(410, HAS_ENDED)
        is_first = self._path(session_id, "start").exists()
        servers = await self.ice.of_process(session_id, is_first=is_first)
        try:
            return await self.begin(session_id, way="webrtc", offer=offer, ice_servers=servers)
        finally:
            self.ice.forget(session_id)
