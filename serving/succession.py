"""One server after another on the same port, without a call lost and without a connection refused.

The second server gets the first one's listening socket itself, so that nobody who connects meanwhile
is turned away, and the run folder. When it can take calls it tells the first to leave, which then
takes none, and ends with the last of its own.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.supervisor import channel

NAME = "server.sock"
GIVE_S = 5.0
OLD_S = 120.0
"""What was accepted so long ago does not begin any more."""


class NoPredecessor(Exception):
    """There is no server on this run folder that could be succeeded."""


def inherit(folder: Path) -> socket.socket:
    """The listening socket of the server that runs on a folder. Blocks; for the start.

    Raises:
        NoPredecessor: When none runs there.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(GIVE_S)
        try:
            question = channel.ask(folder / NAME, {"do": "give"}, fd=theirs.fileno())
            asyncio.run(question)
            _, fds, *_ = socket.recv_fds(ours, 1, 1)
            return socket.socket(fileno=fds[0])
        except (channel.NobodyAnswers, OSError, IndexError):
            raise NoPredecessor(
                f"There is no server with {folder} to take over from; leave out --take-over."
            ) from None


def forget_dead(folder: Path) -> None:
    """Delete what sessions have left whose server was killed. Blocks; for the start."""
    for path in folder.glob("*.sock"):
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(FileNotFoundError):
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
    for path in (*folder.glob("*.start"), *folder.glob("*.files")):
        is_old = time.time() - path.stat().st_mtime > OLD_S
        if is_old and not path.with_suffix(".sock").exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


async def dismiss(folder: Path) -> None:
    """Tell the server that runs on a folder, if there is one, to leave."""
    with contextlib.suppress(channel.NobodyAnswers):
        await channel.ask(folder / NAME, {"do": "leave"})


async def serve_successors(
    folder: Path, listener: socket.socket, *, leave: Callable[[], None]
) -> None:
    """Wait for a successor, until cancelled.

    Args:
        folder: The run folder.
        listener: The socket that it is to have.
        leave: Called once it is ready.
    """
    path = folder / NAME
    path.unlink(missing_ok=True)
    is_left = asyncio.Event()

    async def answer(question: dict[str, Any], fd: int | None) -> dict[str, Any]:
        if question.get("do") == "give" and fd is not None:
            with socket.socket(fileno=os.dup(fd)) as theirs:
                socket.send_fds(theirs, [b"x"], [listener.fileno()])
        elif question.get("do") == "leave":
            leave()
            is_left.set()
        return {"ok": {}}

    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(str(path))
        os.chmod(path, 0o600)
        ours.listen()
        ours.setblocking(False)
        try:
            await _until(is_left, channel.serve(ours, answer))
        finally:
            if not is_left.is_set():
                path.unlink(missing_ok=True)


async def _until(event: asyncio.Event, coroutine: Any) -> None:
    tasks = {asyncio.create_task(event.wait()), asyncio.create_task(coroutine)}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
