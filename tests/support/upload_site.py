"""A server with one session that takes pictures, and clients of every kind for it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request

from serving.refused import Refused
from serving.session_files import SessionFiles
from serving.uploads import receive
from tests.support.app import served

HEAD = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n'
BOUNDARY = b"limit"


class Site:
    """A server with one session."""

    def __init__(self, files: SessionFiles, port: int, http: httpx.AsyncClient):
        self.files = files
        self.port = port
        self.http = http
        self.url = f"http://127.0.0.1:{port}/files"

    @property
    def kept(self) -> list[Path]:
        return list(self.files.folder.iterdir())

    async def upload(self, content: bytes, name: str = "photo.png") -> httpx.Response:
        return await self.http.post(self.url, files={"file": (name, content)})

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        """A body that was made by hand."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
        return await self.http.post(self.url, content=body, headers=kind | headers)

    @contextlib.asynccontextmanager
    async def connection(self, *headers: str) -> AsyncIterator["Connection"]:
        """A connection on which a request has begun."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}"
        lines = ["POST /files HTTP/1.1", "Host: 127.0.0.1", kind, *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class Connection:
    """One on which things go wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes, *, chunked: bool = False) -> None:
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
        await self.writer.drain()

    async def head(self) -> int:
        """The answer's status."""
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def answer(self) -> tuple[int, str]:
        """Status and sentence, and nothing after them."""
        status = await self.head()
        async with asyncio.timeout(10):
            self.writer.write_eof()
            body = await self.reader.read()
        return status, json.loads(body)["detail"]


def part(content: bytes, head: bytes = HEAD) -> bytes:
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n" + content + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"


@contextlib.asynccontextmanager
async def site_in(folder: Path) -> AsyncIterator[Site]:
    files = SessionFiles(folder / "files")
    files.create()
    app = FastAPI()
    app.add_exception_handler(Refused, lambda request, error: error.response())  # pyright: ignore

    @app.post("/files")
    async def upload(request: Request) -> dict[str, Any]:
        return await receive(request, files)

    async with served(app) as port, httpx.AsyncClient(timeout=60) as http:
        yield Site(files, port, http)


def assert_refused(answer: httpx.Response, status: int, sentence: str) -> None:
    detail = answer.json()["detail"]
    assert (answer.status_code, sentence in detail) == (status, True), answer.text
    assert detail.endswith(".") and "\n" not in detail


def open_sizes(folder: Path) -> list[int]:
    """How large the files in a folder are that this process has open."""
    sizes = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()).startswith(str(folder)):
                sizes.append(descriptor.stat().st_size)
    return sizes


async def until_something_arrived(folder: Path) -> None:
    """Wait until an upload is under way."""
    async with asyncio.timeout(10):
        while not open_sizes(folder):
            await asyncio.sleep(0.01)


async def until_nothing_is_open(folder: Path) -> None:
    """Wait until none is."""
    async with asyncio.timeout(10):
        while open_sizes(folder):
            await asyncio.sleep(0.01)
