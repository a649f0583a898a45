"""Callers for whom there is no line hear so, instead of music until they give up.

Each gets a room and a process for the time of one sentence, beside the slots of sessions, and so
many at a time as are set; the others wait, on hold at Daily.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from loguru import logger

from pipeline.announcements import Announcement
from pipeline.phone.call import PhoneCall
from serving.refused import Refused
from serving.session_rooms import SessionRooms

WAIT_S = 45.0
"""How long after their call came somebody may wait for it; then Daily's own message is nearer."""
TELL_S = 30.0
"""How long one may take, from the room to the end of the sentence."""
ROOM_S = TELL_S + 30.0
MOST_WAITING = 1000
PREFIX = "busy-"
"""What the names of these processes begin with; a session's is an identifier alone."""

Run = Callable[[str, dict[str, Any]], Awaitable[None]]
"""Gives a question to a process of a name, and waits until it has ended."""


class BusyLines:
    """Tells callers something, a few at a time.

    Args:
        lines: How many.
        rooms: Where their rooms are had.
        folder: The run folder.
        run: What runs their processes.
    """

    def __init__(self, *, lines: int, rooms: SessionRooms, folder: Path, run: Run):
        self._are_any = lines > 0
        self._free = asyncio.Semaphore(lines)
        self._rooms = rooms
        self._folder = folder
        self._run = run
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, call: PhoneCall, announcement: Announcement) -> None:
        """Have a caller told something, soon; nobody waits for it."""
        if not self._are_any or len(self._telling) >= MOST_WAITING:
            logger.warning("A caller is left to Daily's own message: too many wait.")
            return
        come_s = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._tell(call, announcement, until_s=come_s + WAIT_S))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def aclose(self) -> None:
        """Leave those who wait to Daily's own message."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _tell(self, call: PhoneCall, announcement: Announcement, *, until_s: float) -> None:
        try:
            async with asyncio.timeout_at(until_s):
                await self._free.acquire()
        except TimeoutError:
            logger.warning("A caller is left to Daily's own message: none of the lines was free.")
            return
        name = f"{PREFIX}{uuid.uuid4().hex}"
        try:
            async with asyncio.timeout(TELL_S):
                room = await self._rooms.make(name, lifetime_s=ROOM_S, sip_name=call.caller)
                question = {
                    "way": "daily",
                    "body": {},
                    "files": str(self._folder / f"{name}.files"),
                    "room": {"url": room.url, "token": room.token},
                    "phone": call.as_dict(),
                    "announce": announcement.name,
                }
                await self._run(name, question)
        except (Refused, TimeoutError) as error:
            logger.error(f"A caller could not be told {announcement.name}: {error or 'no time'}")
        finally:
            self._free.release()
            self._rooms.leave(name)
