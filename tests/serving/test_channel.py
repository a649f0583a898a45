"""Questions and answers between processes, over a real socket."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from serving.supervisor import channel
from serving.supervisor.channel import MAX_LINE_BYTES, NobodyAnswers, ask


@contextlib.asynccontextmanager
async def answering(path: Path, answer: channel.Answer) -> AsyncIterator[asyncio.Task[None]]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        serving = asyncio.create_task(channel.serve(listener, answer))
        try:
            yield serving
            assert not serving.done(), "what one asked has ended it for all"
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def echo(question: dict[str, Any], fd: int | None) -> dict[str, Any]:
    return {"asked": question, "has_fd": fd is not None}


@pytest.fixture
async def path(tmp_path):
    async with answering(tmp_path / "s.sock", echo):
        yield tmp_path / "s.sock"


async def test_a_question_is_answered(path: Path):
    question = {"text": "grüße\n\ud800 😀", "numbers": [1, 2.5, None, True]}
    assert await ask(path, question) == {"asked": question, "has_fd": False}


async def test_a_large_question_and_a_large_answer_arrive_whole(path: Path):
    question = {"text": "x" * (MAX_LINE_BYTES // 2)}
    assert (await ask(path, question))["asked"] == question


async def test_what_is_too_large_is_not_answered(path: Path):
    with pytest.raises(NobodyAnswers):
        await ask(path, {"text": "x" * (MAX_LINE_BYTES + 200_000)})
    assert await ask(path, {}) == {"asked": {}, "has_fd": False}


async def test_many_may_ask_at_once_and_each_gets_their_own_answer(path: Path):
    answers = await asyncio.gather(*(ask(path, {"n": n}) for n in range(100)))
    assert [answer["asked"]["n"] for answer in answers] == list(range(100))


async def test_an_open_file_is_handed_over(tmp_path):
    async def write(question: dict[str, Any], fd: int | None) -> dict[str, Any]:
        assert fd is not None
        os.write(fd, question["text"].encode())
        return {}

    async with answering(tmp_path / "s.sock", write):
        reading, writing = os.pipe()
        await ask(tmp_path / "s.sock", {"text": "x" * 5000}, fd=writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            # It ends: nobody has kept the file that was handed over.
            assert await asyncio.wait_for(asyncio.to_thread(pipe.read), 5) == "x" * 5000


async def test_nobody_there_is_told_at_once(tmp_path):
    async with asyncio.timeout(1):
        with pytest.raises(NobodyAnswers, match="nobody"):
            await ask(tmp_path / "nobody.sock", {})
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "dead.sock"))
        with pytest.raises(NobodyAnswers, match="dead"):
            await ask(tmp_path / "dead.sock", {})


async def test_an_answer_that_comes_too_late_is_none_and_harms_nobody(tmp_path):
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(question: dict[str, Any], fd: int | None) -> dict[str, Any]:
        if question.get("slow"):
            is_asked.set()
            await may_answer.wait()
        return {"answered": True}

    async with answering(tmp_path / "s.sock", slow):
        with pytest.raises(NobodyAnswers, match="no answer"):
            await ask(tmp_path / "s.sock", {"slow": True}, within_s=0.1)
        assert is_asked.is_set()
        may_answer.set()
        assert await ask(tmp_path / "s.sock", {}) == {"answered": True}


async def test_who_does_not_listen_to_the_answer_does_not_keep_others_from_theirs(path: Path):
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(path))
        assert (await ask(path, {"n": 1}))["asked"] == {"n": 1}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"not json\n",
        b"[1, 2]\n",
        b"7\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"a": 1}{"b": 2}\n',
    ],
    ids=lambda line: repr(line[:12]),
)
async def test_broken_lines_are_not_answered_and_the_next_question_is(path: Path, line: bytes):
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as broken:
        broken.setblocking(False)
        await loop.sock_connect(broken, str(path))
        await loop.sock_sendall(broken, line)
        broken.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionResetError):
                assert await loop.sock_recv(broken, 100) == b""
    assert (await ask(path, {"n": 1}))["asked"] == {"n": 1}


async def test_an_answer_that_is_none_is_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.sock"))
        listener.listen()
        listener.setblocking(False)

        async def babble() -> None:
            loop = asyncio.get_running_loop()
            asker, _ = await loop.sock_accept(listener)
            with asker:
                await loop.sock_recv(asker, 1000)
                await loop.sock_sendall(asker, b"[" * 100_000 + b"\n")

        babbling = asyncio.create_task(babble())
        with pytest.raises(NobodyAnswers):
            await ask(tmp_path / "s.sock", {})
        await babbling


async def test_no_file_stays_open_whatever_comes_with_it(path: Path):
    async def give(line: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(str(path))
            socket.send_fds(asker, [line], [asker.fileno(), asker.fileno()])
            asker.shutdown(socket.SHUT_WR)
            asker.setblocking(False)
            with contextlib.suppress(ConnectionResetError):
                await asyncio.get_running_loop().sock_recv(asker, 100)

    await give(b"{}\n")
    before = psutil.Process().num_fds()
    for line in (b"{}\n", b"broken", b"broken\n", b"[]\n"):
        await give(line)
    assert psutil.Process().num_fds() == before
