"""Which session has which room: written down in the run folder, so that none is left behind.

Whatever ends a session, the server deletes its room; if it can't, it tries again, and so does the
next server on this folder. A room whose time is over is Daily's to end.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from loguru import logger

from serving.refused import Refused
from serving.rooms import CLOSE_S, Room, Rooms

AGAIN_S = 60.0
"""How long after it was made, or last tried to be deleted, a room nobody seems to have is deleted:
its session may be just about to begin, with the server that is succeeded."""


class SessionRooms:
    """The rooms of the sessions in a run folder.

    Args:
        rooms: Where they are had.
        folder: The run folder.
    """

    def __init__(self, rooms: Rooms, folder: Path):
        self._rooms = rooms
        self._folder = folder
        self._leaving: dict[str, asyncio.Task[None]] = {}

    async def make(
        self,
        session_id: str,
        *,
        lifetime_s: float,
        sip_name: str | None = None,
        dials_out: bool = False,
    ) -> Room:
        """Make a room for a session; see `Rooms.create`."""
        expires_s = time.time() + lifetime_s
        room = await self._rooms.create(
            lifetime_s=lifetime_s, sip_name=sip_name, dials_out=dials_out
        )
        try:
            kept = {"name": room.name, "expires_s": expires_s}
            self._path(session_id).write_text(json.dumps(kept))
        except OSError as error:
            self._rooms.delete_soon(room.name)
            logger.error(f"A room can't be kept in the run folder: {error}")
            raise Refused(503, "The server can't take calls now; please try later.") from None
        return room

    async def enter(self, url: str, *, lifetime_s: float) -> Room:
        """Have tokens for a room that is somebody's; see `Rooms.enter`."""
        return await self._rooms.enter(url, lifetime_s=lifetime_s)

    def leave(self, session_id: str) -> None:
        """Delete the room of a session, if it has one; `aclose` waits for it."""
        if session_id in self._leaving or not self._path(session_id).exists():
            return
        task = asyncio.create_task(self._delete(session_id))
        self._leaving[session_id] = task
        task.add_done_callback(lambda _: self._leaving.pop(session_id))

    def leave_late(self, is_known: Callable[[str], bool]) -> None:
        """Delete the rooms that no session has.

        Args:
            is_known: Whether a session runs or may still begin.
        """
        for path in self._folder.glob("*.room"):
            try:
                # Either way: the clock may have been set back since.
                is_late = abs(time.time() - path.stat().st_mtime) > AGAIN_S
                if is_late and not is_known(path.stem):
                    os.utime(path)
                    self.leave(path.stem)
            except FileNotFoundError:
                continue

    async def aclose(self) -> None:
        """See deletions to their end, for as long as that may take, and close the connections."""
        if self._leaving:
            await asyncio.wait(self._leaving.values(), timeout=CLOSE_S)
        for task in self._leaving.values():
            task.cancel()
        await asyncio.gather(*self._leaving.values(), return_exceptions=True)
        await self._rooms.aclose()

    async def _delete(self, session_id: str) -> None:
        path = self._path(session_id)
        try:
            kept = json.loads(path.read_text())
            name, expires_s = str(kept["name"]), float(kept["expires_s"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError):
            path.unlink(missing_ok=True)  # it was never written to its end
            return
        if await self._rooms.delete(name) or time.time() > expires_s:
            path.unlink(missing_ok=True)

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.room"
