"""What is known of calls, in the run folder and here, from their acceptance to their end."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from loguru import logger

from pipeline.settings import Settings
from serving.access.own_keys import OwnKeys
from serving.admission.admission import RESERVED_S
from serving.admission.dispatcher import Dispatcher
from serving.ice_of_calls import IceOfCalls
from serving.refused import Refused
from serving.rooms import Rooms
from serving.session_files import SessionFiles
from serving.session_rooms import SessionRooms
from serving.supervisor import channel
from serving.supervisor.endings import Ending, Endings
from serving.turnstile import Turnstile

LOOK_S = 0.25


class KnownSessions:
    """What there is of each session, and how it is ended and forgotten.

    What is known of a session is in the run folder, under its identifier, so that a second server
    on the same folder goes on where the first one stopped.

    Args:
        settings: Of this server.
        folder: The run folder.
        dispatcher: Who leases slots.
    """

    def __init__(self, *, settings: Settings, folder: Path, dispatcher: Dispatcher):
        self._settings = settings
        self._folder = folder
        self._dispatcher = dispatcher
        self._endings = Endings(folder)
        self._beginning: dict[str, asyncio.Event] = {}
        self._own_keys = OwnKeys()
        self.ice = IceOfCalls(settings)
        self.turnstile = Turnstile()
        self.rooms = SessionRooms(Rooms(settings), folder)

    def is_known(self, session_id: str) -> bool:
        """Whether a session runs, or was accepted and may begin."""
        return self.is_told_of(session_id) or self._path(session_id, "start").exists()

    def is_told_of(self, session_id: str) -> bool:
        """Whether there is something to be told of a session: it runs, or has just ended."""
        is_here = session_id in self._beginning or self.is_running(session_id)
        return is_here or self._endings.read(session_id) is not None

    def is_waiting(self, session_id: str) -> bool:
        """Whether a session was accepted, and has not begun."""
        return self._path(session_id, "start").exists()

    def is_running(self, session_id: str) -> bool:
        """Whether a session has its process, here or with another server on this folder."""
        return self._path(session_id, "sock").exists()

    async def ask(self, session_id: str, question: dict[str, Any]) -> Any:
        """Ask the process of a running session.

        Raises:
            Refused: When it has none, or that can't be done.
        """
        try:
            return taken(await channel.ask(self._path(session_id, "sock"), question))
        except channel.NobodyAnswers:
            ended = self._endings.read(session_id)
            sentence = ended.text if ended else "This session is not running."
            raise Refused(404, sentence) from None

    async def wait_for_end(self, session_id: str, *, within_s: float) -> Ending | None:
        """Wait until a session has ended; None when it has not in that time."""
        until_s = time.monotonic() + within_s
        while True:
            ended = self._endings.read(session_id)
            if ended or time.monotonic() >= until_s:
                return ended
            await asyncio.sleep(LOOK_S)

    async def end(self, session_id: str, why: str) -> None:
        """End a session for its user, or give up what was accepted and has not begun."""
        if begun := self._beginning.get(session_id):
            await begun.wait()
        if self.is_running(session_id):
            question = {"do": "end", "why": why, "reason": "user"}
            with contextlib.suppress(channel.NobodyAnswers):  # it is ending already
                taken(await channel.ask(self._path(session_id, "sock"), question))
        else:
            await self.forget(session_id)

    def tell(self, session_id: str, what: Ending) -> None:
        """Keep how a session ended, for whoever asks."""
        try:
            self._endings.write(session_id, what)
            self._endings.forget_old()
        except OSError as error:
            logger.error(f"Nobody can be told how session {session_id} ended: {error}")

    async def forget_late(self) -> None:
        """Give up what was accepted and did not begin in time."""
        self._own_keys.forget_all_but(lambda session: self._path(session, "start").exists())
        for path in self._folder.glob("*.start"):
            with contextlib.suppress(FileNotFoundError):
                # Either way: the clock may have been set back since.
                if abs(time.time() - path.stat().st_mtime) > RESERVED_S:
                    await self.forget(path.stem)
        self.rooms.leave_late(self._has_room)

    def _has_room(self, session_id: str) -> bool:
        # How it ended is still told for a while; its room goes at once.
        is_here = session_id in self._beginning or self.is_running(session_id)
        return is_here or self.is_waiting(session_id)

    async def forget(self, session_id: str) -> None:
        """Free a session's slot, and delete what was kept for it."""
        self.ice.forget(session_id)
        await self._dispatcher.release(session_id)
        self._own_keys.forget(session_id)
        self.turnstile.open()
        self.rooms.leave(session_id)
        self._path(session_id, "start").unlink(missing_ok=True)
        await self.files(session_id).remove()

    async def aclose(self) -> None:
        """Close the connections to others."""
        await self.rooms.aclose()
        await self.ice.aclose()

    def files(self, session_id: str) -> SessionFiles:
        """The pictures that were uploaded for a session and not yet shown."""
        return SessionFiles(self._path(session_id, "files"))

    def _path(self, session_id: str, kind: str) -> Path:
        return self._folder / f"{session_id}.{kind}"


def taken(reply: dict[str, Any]) -> Any:
    """What a process has answered.

    Raises:
        Refused: When it has refused.
    """
    if "refused" in reply:
        raise Refused(*reply["refused"])
    return reply["ok"]
