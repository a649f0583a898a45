"""The command behind `make conformance`: every client against one running understudy."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.environments import command, install
from conformance.outcomes import Report, page
from conformance.registry import CLIENTS, ENVIRONMENTS, HERE, Client

_PAGE = HERE.parent / "docs/conformance.md"
_LOGS = ENVIRONMENTS / "logs"
_CLIENT_DEADLINE_S = 110
_START_DEADLINE_S = 20
_AT_A_TIME = 2
"""Clients mostly wait; but more than two would compete for two cores while they are loaded."""


@dataclass(frozen=True)
class Place:
    """Where an understudy is."""

    url: str
    certificate: str


def main() -> int:
    """Runs the clients and writes the page.

    Returns:
        0 when everything works that should, 1 when something does not, 2 when a client could not
        be installed or the understudy not started.
    """
    arguments = _arguments()
    clients = [c for c in CLIENTS if not arguments.clients or c.name in arguments.clients]
    _LOGS.mkdir(parents=True, exist_ok=True)
    begun_s = time.monotonic()
    try:
        for client in clients:
            install(client)
        installed_s = time.monotonic()
        reports = asyncio.run(_run(clients, arguments.against))
    except (subprocess.CalledProcessError, RuntimeError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    if len(clients) == len(CLIENTS) and arguments.against is None:
        _PAGE.write_text(page(reports))
        print(f"written: {_PAGE.relative_to(HERE.parent)}")
    run_s = time.monotonic() - installed_s
    failed = sum(report.has_failed for report in reports)
    print(
        f"{len(reports)} clients, {failed} with failures; "
        f"{installed_s - begun_s:.0f} s to install, {run_s:.0f} s to run; "
        f"what they logged is in {_LOGS.relative_to(HERE.parent)}"
    )
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument(
        "clients", nargs="*", metavar="CLIENT", help=", ".join(client.name for client in CLIENTS)
    )
    parser.add_argument(
        "--against",
        nargs=2,
        metavar=("URL", "CERT"),
        help="an understudy that runs already; then no page is written",
    )
    return parser.parse_args()


async def _run(clients: Sequence[Client], against: list[str] | None) -> list[Report]:
    async with _understudy(against) as place:
        slots = asyncio.Semaphore(_AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_run_client(c, place, slots)) for c in clients]
    return [task.result() for task in running]


@contextlib.asynccontextmanager
async def _understudy(against: list[str] | None) -> AsyncIterator[Place]:
    """Runs an understudy, unless there is one already."""
    if against is not None:
        yield Place(*against)
        return
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        with (_LOGS / "understudy.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "understudy", "--port", "0", "--cert-dir", directory),
                *("--record", str(Path(directory, "record.jsonl")), "--until-eof"),
                cwd=HERE.parent,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            yield await _ready(process)
            if process.returncode is not None:
                raise RuntimeError(f"the understudy ended with {process.returncode}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> Place:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_DEADLINE_S)
    except TimeoutError:
        raise RuntimeError("the understudy does not start") from None
    words = line.decode().split()
    if words[:2] != ["understudy", "ready"]:
        raise RuntimeError("the understudy does not start")
    return Place(url=words[2], certificate=words[4])


async def _run_client(client: Client, place: Place, slots: asyncio.Semaphore) -> Report:
    report = Report(client)
    async with slots:
        with (_LOGS / f"{client.name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command(client),
                env=_environment(place),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            async with asyncio.timeout(_CLIENT_DEADLINE_S):
                await _follow(process, report)
                await process.wait()
            report.close(f"it ended with {process.returncode} before it came to this")
        except TimeoutError:
            report.close(f"it had not come to this after {_CLIENT_DEADLINE_S} s")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return report


async def _follow(process: asyncio.subprocess.Process, report: Report) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if said := report.take(line.decode(errors="replace")):
            print(f"{report.client.name}: {said}", flush=True)


def _environment(place: Place) -> dict[str, str]:
    """Points a client at the understudy by what its documentation says, and by nothing else."""
    # Whatever this machine has set for Google's clients or as a proxy would lead elsewhere.
    foreign = ("GOOGLE_", "GEMINI_", "LIVEKIT_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(foreign) and not name.upper().endswith("_PROXY")
    }
    return {
        **kept,
        "GOOGLE_API_KEY": "conformance",
        "GOOGLE_GEMINI_BASE_URL": place.url,
        "SSL_CERT_FILE": place.certificate,
        "NODE_EXTRA_CA_CERTS": place.certificate,
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
