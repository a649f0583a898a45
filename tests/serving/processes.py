"""A supervisor whose processes run the tiny bot, and what its tests ask of it."""

import asyncio
import contextlib
import multiprocessing.forkserver
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

from serving.supervisor.endings import Ending
from serving.supervisor.supervisor import Supervisor
from serving.supervisor.watch import Bounds

HANDSHAKE = (
    "GET /ws-client HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TINY_BOT = "tests.support.tiny_bot:bot"


class Site:
    """A supervisor with its folder, and how its sessions ended."""

    def __init__(self, folder: Path, *, spares: int = 1, bounds: Bounds | None = None):
        self.folder = folder
        self.endings: dict[str, Ending] = {}
        self.callers: dict[str, socket.socket] = {}
        self.supervisor = Supervisor(
            folder,
            bounds=bounds or Bounds(),
            spares=spares,
            bot_path=TINY_BOT,
            on_end=self.endings.__setitem__,
        )

    async def begin(self, **body: Any) -> str:
        """Begin a session that does what the body says; the answer is its name."""
        session_id = uuid.uuid4().hex
        question = {"way": "websocket", "head": HANDSHAKE, "body": body, "files": str(self.folder)}
        ours, theirs = socket.socketpair()
        self.callers[session_id] = ours
        with theirs:
            answer = await self.supervisor.begin(session_id, question, fd=theirs.fileno())
        assert answer == {"ok": {}}
        return session_id

    async def caller_is_left(self, session_id: str) -> None:
        """Read what comes on the caller's line until it is closed."""
        loop, line = asyncio.get_running_loop(), self.callers.pop(session_id)
        with line, contextlib.suppress(ConnectionResetError):
            line.setblocking(False)
            async with asyncio.timeout(10):
                while await loop.sock_recv(line, 10_000):
                    pass

    def pid(self, session_id: str) -> int:
        """The process of a session that runs."""
        return self.supervisor.sessions[session_id].pid

    async def ended(self, session_id: str, *, within_s: float = 10) -> Ending:
        """How a session ended, once its process is gone."""
        await until(lambda: session_id in self.endings, within_s=within_s)
        return self.endings[session_id]

    async def has_spares(self, count: int, *, within_s: float = 30) -> list[int]:
        """Wait for as many living spares; the answer is their pids."""
        await until(lambda: len(self._living()) == count, within_s=within_s)
        return [process.pid for process in self._living()]

    def _living(self) -> list[Any]:
        return [spare for spare in self.supervisor._spares if lives(spare.pid)]

    def left(self) -> list[str]:
        """The sockets and stacks in the folder."""
        return sorted(
            path.name for path in self.folder.iterdir() if path.suffix in (".sock", ".stacks")
        )


@contextlib.asynccontextmanager
async def site(folder: Path, **options: Any) -> AsyncIterator[Site]:
    """Run a supervisor."""
    here = Site(folder, **options)
    await here.supervisor.open()
    try:
        yield here
    finally:
        await here.supervisor.close("The test is over.")
        for line in here.callers.values():
            line.close()


async def until(is_so: Any, *, within_s: float = 10) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process is there and does something."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[int]:
    """The processes of sessions: children of the forkserver, which is a child of ours."""
    forkserver = multiprocessing.forkserver._forkserver._forkserver_pid  # pyright: ignore
    if forkserver is None or not psutil.pid_exists(forkserver):
        return set()
    return {child.pid for child in psutil.Process(forkserver).children() if lives(child.pid)}
