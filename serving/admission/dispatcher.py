"""Who runs a session: four methods, so that nobody who uses them knows how many machines there are."""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from serving.admission.admission import Admission, CallRequest


class Server(Protocol):
    """What runs sessions: on this machine the supervisor, elsewhere whoever speaks for one."""

    def free_slots(self, admission: Admission) -> int:
        """How many more sessions it can carry, beside those that are taken."""
        ...

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        """Begin a session, and give its answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to run one session.

    Parameters:
        session_id: The session.
        server: Where it runs.
    """

    session_id: str
    server: Server


class LeaseError(Exception):
    """There is no lease to be had for this session: it has begun already, or was never accepted."""


class Dispatcher(Protocol):
    """Brings calls to those who run them."""

    async def register(self, server: Server) -> None:
        """Have a server take calls from now on."""
        ...

    async def offer(self, request: CallRequest) -> None:
        """Have a call accepted: a slot is kept for it until it begins or its time is over.

        Offering the same session again changes nothing.

        Raises:
            Refusal: At once, when nobody can take it.
        """
        ...

    async def lease(self, session_id: str) -> Lease:
        """Begin an accepted session. There is never a second lease of it.

        Raises:
            LeaseError: When it was not accepted, or has begun.
        """
        ...

    async def release(self, session_id: str) -> None:
        """Free the session's slot, whatever became of it; a second time changes nothing."""
        ...


class LocalDispatcher:
    """The dispatcher of a server that runs its sessions itself.

    Args:
        admission: What decides.
    """

    def __init__(self, admission: Admission):
        self._admission = admission
        self._server: Server | None = None

    async def register(self, server: Server) -> None:
        """See `Dispatcher`."""
        self._server = server

    async def offer(self, request: CallRequest) -> None:
        """See `Dispatcher`."""
        now_s = asyncio.get_running_loop().time()
        self._admission.expire(now_s=now_s)
        free = self._server.free_slots(self._admission) if self._server else 0
        self._admission.reserve(request, free=free, now_s=now_s)

    async def lease(self, session_id: str) -> Lease:
        """See `Dispatcher`."""
        now_s = asyncio.get_running_loop().time()
        if self._server is None or not self._admission.lease(session_id, now_s=now_s):
            raise LeaseError("This session has begun already; start another to connect anew.")
        return Lease(session_id=session_id, server=self._server)

    async def release(self, session_id: str) -> None:
        """See `Dispatcher`."""
        self._admission.release(session_id)
