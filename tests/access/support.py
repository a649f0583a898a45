"""What the tests of access share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from pydantic import SecretStr

from pipeline.settings import Settings
from serving.access.middleware import UVICORN
from serving.refused import Refused

KEY = "5f3c9a6e0d2b41788a1f"
OTHER_KEY = "b0a1c2d3e4f5061728394a5b"


def settings(**variables: object) -> Settings:
    """Settings in which only these variables are set, whatever the environment says."""
    defaults = {
        name: field.get_default()
        for name, field in Settings.variables().items()
        if name not in variables
    }
    return Settings.model_validate({**defaults, **variables})


def head(**headers: str) -> list[tuple[bytes, bytes]]:
    """Headers as a protocol has them: `head(host="a", x_api_key="b")`."""
    return [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]


def secret(text: str) -> SecretStr:
    return SecretStr(text)


def refusal(error: Refused) -> tuple[int, str]:
    assert error.sentence.endswith(".") and "\n" not in error.sentence
    return error.status, error.sentence


@contextlib.asynccontextmanager
async def served(app: Any, **options: Any) -> AsyncIterator[str]:
    """An application under a real uvicorn on loopback, as the server is to run it.

    Yields:
        Its address.
    """
    options = {**UVICORN, "log_config": None, "lifespan": "off", **options}
    config = uvicorn.Config(app, host="127.0.0.1", port=0, **options)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def talk(url: str, *parts: bytes, until_closed: bool = True) -> bytes:
    """Say exactly this over a connection, and hear what comes until the server ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(10):
            return await (reader.read() if until_closed else reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.close()
