"""Which calls have been taken, and for which session: none gets two bots.

A provider tells of a call more than once when an answer is late, and the second time it may be
another server on this folder that is told. Twilio and Plivo sign no time either: what they have
signed can be sent again for as long as a call is remembered. They let none last longer.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from loguru import logger

from pipeline.phone.call import PhoneCall
from serving.refused import Refused

NAME = "taken-calls"
KEPT_S = 24 * 3600.0
MOST_IN_A_PART = 200
"""There are 256 parts, so that each is looked through within 1 ms: 50,000 calls a day."""


class TakenCalls:
    """Remembers calls for a day, in the run folder.

    Args:
        folder: The run folder.
        time_s: The wall clock.
    """

    def __init__(self, folder: Path, *, time_s: Callable[[], float] = time.time):
        self._folder = folder / NAME
        self._time_s = time_s

    def take(self, call: PhoneCall, *, whose: str = "") -> bool:
        """Take a call; False: it was taken before.

        Args:
            call: The call.
            whose: Who has named it; another's call of the same name is another one.

        Raises:
            Refused: When there are more than can be remembered, or nothing can be kept.
        """
        path = self._path(call, whose)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sum(self._kept(path.parent)) >= MOST_IN_A_PART and not path.exists():
                raise Refused(503, "There are too many calls.", {"Retry-After": "60"})
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        except OSError as error:
            raise Refused(503, f"The call can't be noted: {error.strerror}.") from None
        return True

    def began(self, call: PhoneCall, session_id: str, *, whose: str = "") -> None:
        """Note the signed id of the session that a call has."""
        try:
            self._path(call, whose).write_text(session_id)
        except OSError as error:
            # The call goes on; whoever tells of it again hears that it is being answered.
            logger.error(f"The session of a call can't be noted: {error.strerror}")

    def session(self, call: PhoneCall, *, whose: str = "") -> str:
        """The signed id of the session that a call has, which was taken before.

        Raises:
            Refused: 409 while it has none.
        """
        try:
            session_id = self._path(call, whose).read_text()
        except OSError:
            session_id = ""
        if not session_id:
            raise Refused(409, "This call is being answered already.")
        return session_id

    def forget(self, call: PhoneCall, *, whose: str = "") -> None:
        """Let a call be taken again, because nothing came of it."""
        self._path(call, whose).unlink(missing_ok=True)

    def _kept(self, part: Path) -> Iterator[bool]:
        """Forget what is old in a part, and give one for each that is kept."""
        now_s = self._time_s()
        for entry in os.scandir(part):
            try:
                # Either way: the clock may have been set back since.
                if abs(now_s - entry.stat().st_mtime) > KEPT_S:
                    os.unlink(entry)
                else:
                    yield True
            except FileNotFoundError:
                continue

    def _path(self, call: PhoneCall, whose: str) -> Path:
        key = "\n".join((call.provider, whose, call.call_id))
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / digest[:2] / digest[2:]
