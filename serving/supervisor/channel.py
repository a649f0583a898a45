"""Questions to a session's process: one line of JSON each way, over a Unix socket with a name.

The socket has a name, and not just two ends, so that a second server which takes over the port can
reach the sessions that the first one began.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

MAX_LINE_BYTES = 4 * 1024 * 1024
"""An offer of the largest size, with every character escaped."""
ASK_S = 20.0
"""How long an answer may take. Gathering candidates with a STUN server that is away takes 5 s."""


class NobodyAnswers(Exception):
    """There is no such session's process, or it is not well."""


Answer = Callable[[dict[str, Any], int | None], Awaitable[dict[str, Any]]]


async def ask(
    path: Path, question: dict[str, Any], *, fd: int | None = None, within_s: float = ASK_S
) -> dict[str, Any]:
    """Ask the process behind a socket.

    Args:
        path: The socket's name.
        question: What JSON can hold.
        fd: An open file to hand over with it.
        within_s: Seconds to wait for the answer.

    Raises:
        NobodyAnswers: When nobody listens, or no answer comes in time.
    """
    line = json.dumps(question).encode() + b"\n"
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as line_out:
        line_out.setblocking(False)
        try:
            async with asyncio.timeout(within_s):
                await loop.sock_connect(line_out, str(path))
                if fd is not None:
                    # It has to come with a byte; a connection that is new has room for that.
                    socket.send_fds(line_out, [line[:1]], [fd])
                    line = line[1:]
                await loop.sock_sendall(line_out, line)
                return json.loads(await _read_line(line_out))
        except (OSError, TimeoutError, ValueError, RecursionError) as error:
            raise NobodyAnswers(f"{path.stem}: {str(error) or 'no answer'}") from None


async def serve(listener: socket.socket, answer: Answer) -> None:
    """Answer each question that comes, until cancelled.

    Args:
        listener: A Unix socket that listens; non-blocking.
        answer: Gets a question and a file that was handed over with it, or None; the file is closed
            once the answer is there.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        while True:
            asker, _ = await loop.sock_accept(listener)
            group.create_task(_answer_one(asker, answer))


async def _answer_one(asker: socket.socket, answer: Answer) -> None:
    # Who asked may be gone, or ask what is no question; that is theirs to know.
    with asker, contextlib.suppress(OSError, ValueError, RecursionError):
        asker.setblocking(False)
        begun, fd = await _receive(asker)
        try:
            question = json.loads(await _read_line(asker, begun))
            if not isinstance(question, dict):
                return
            reply = await answer(question, fd)
        finally:
            if fd is not None:
                os.close(fd)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(asker, json.dumps(reply).encode() + b"\n")


async def _receive(asker: socket.socket) -> tuple[bytes, int | None]:
    """The first bytes, with the file that came along."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(asker, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(asker)
    data, fds, *_ = socket.recv_fds(asker, 65_536, 1)
    for spare in fds[1:]:
        os.close(spare)
    return data, fds[0] if fds else None


async def _read_line(line_in: socket.socket, begun: bytes = b"") -> bytes:
    loop = asyncio.get_running_loop()
    line = bytearray(begun)
    while not line.endswith(b"\n"):
        piece = await loop.sock_recv(line_in, 65_536)
        if not piece or len(line) > MAX_LINE_BYTES:
            raise ValueError("the line broke off")
        line += piece
    return bytes(line)
