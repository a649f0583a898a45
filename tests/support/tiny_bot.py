"""A bot that does one thing, for tests of the processes around it.

What it does is `act` in the body; what it finds out it writes to the file `told`.
"""

import asyncio
import json
import os
import resource
import time
from pathlib import Path
from typing import Any


async def bot(args: Any) -> None:
    """Do what the body says."""
    body = args.body
    match body.get("act"):
        case "wait":
            await asyncio.Event().wait()
        case "leave":
            return
        case "block":
            asyncio.get_running_loop().call_soon(time.sleep, 60)
            await asyncio.Event().wait()
        case "exit":
            os._exit(7)
        case "tell limits":
            _tell(body, limits())
    await asyncio.Event().wait()


def limits() -> dict[str, Any]:
    """What this process may use, and what comes of wanting more."""
    told: dict[str, Any] = {
        name: resource.getrlimit(getattr(resource, name))
        for name in ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_DATA")
    }
    try:
        bytearray(10 * 2**30)
    except MemoryError:
        told["10 GB"] = "MemoryError"
    files = []
    try:
        while True:
            files.append(open(os.devnull))
    except OSError as error:
        told["files"] = len(files)
        told["one file more"] = error.strerror
    finally:
        for file in files:
            file.close()
    return told


def _tell(body: dict[str, Any], what: dict[str, Any]) -> None:
    path = Path(body["told"])
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(what))
    draft.rename(path)
