"""The command behind `make conformance`: every client against one running understudy."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import difflib
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from conformance.environments import InstallError, command, install, pinned
from conformance.outcomes import Report, page
from conformance.registry import CLIENTS, HERE, LOGS, Client

_PROJECT = HERE.parent
_PAGE = _PROJECT / "docs/conformance.md"
_RECORD = LOGS / "record.jsonl"
_CLIENT_DEADLINE_S = 110
_START_DEADLINE_S = 20
_AT_A_TIME = 2
"""Clients mostly wait; but more than two would compete for two cores while they are loaded."""
_INTERRUPTED = 130


class StartError(Exception):
    """The understudy did not start, or did not last."""


@dataclass(frozen=True)
class Place:
    """Where an understudy is, and the only key that it takes."""

    url: str
    certificate: str
    key: str


def main() -> int:
    """Runs the clients, and writes the page or compares it.

    Returns:
        0 when everything works and the page says so, 1 when not, 2 when a client could not be
        installed or the understudy not started.
    """
    arguments = _arguments()
    clients = [c for c in CLIENTS if not arguments.clients or c.name in arguments.clients]
    LOGS.mkdir(parents=True, exist_ok=True)
    # Told to end, it takes along what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun_s = time.monotonic()
    try:
        for client in clients:
            install(client)
        installed_s = time.monotonic()
        reports = asyncio.run(_run(clients, arguments.fault))
    except (InstallError, StartError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("conformance: interrupted", file=sys.stderr)
        return _INTERRUPTED
    run_s = time.monotonic() - installed_s
    record = _RECORD.read_text().splitlines()
    for report in reports:
        for doubt in report.verify(pinned=pinned(report.client), record=record):
            print(f"{report.client.name}: {doubt}")
    failed = sum(report.has_failed for report in reports)
    print(
        f"{len(reports)} clients, {failed} with failures; "
        f"{installed_s - begun_s:.0f} s to install, {run_s:.0f} s to run; "
        f"what they logged is in {LOGS.relative_to(_PROJECT)}"
    )
    is_whole = len(clients) == len(CLIENTS) and not arguments.fault
    is_true = not is_whole or _publish(page(reports), only_compares=arguments.check)
    return 0 if is_true and not failed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    names = [client.name for client in CLIENTS]
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=", ".join(names))
    parser.add_argument(
        "--check",
        action="store_true",
        help="do not write the page, fail if it says something else than this run saw",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        help="have the understudy do this wrong, to see who notices; then no page is written",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.clients) - set(names):
        parser.error(f"no client is called {' or '.join(sorted(unknown))}, only {', '.join(names)}")
    return arguments


def _publish(text: str, *, only_compares: bool) -> bool:
    """Writes the page, or returns whether it is this text already."""
    name = str(_PAGE.relative_to(_PROJECT))
    if not only_compares:
        _PAGE.write_text(text)
        print(f"written: {name}")
        return True
    committed = _PAGE.read_text() if _PAGE.exists() else ""
    if committed == text:
        return True
    lines = difflib.unified_diff(
        committed.splitlines(), text.splitlines(), name, "this run", lineterm="", n=0
    )
    print("\n".join(lines))
    print(
        f"conformance: {name} does not say what this run saw; `make conformance` writes it",
        file=sys.stderr,
    )
    return False


async def _run(clients: Sequence[Client], faults: Sequence[str]) -> list[Report]:
    async with _understudy(faults) as place:
        slots = asyncio.Semaphore(_AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            # The last take longest, so they begin.
            running = [
                tasks.create_task(_run_client(client, place, slots)) for client in clients[::-1]
            ]
    return [task.result() for task in running[::-1]]


@contextlib.asynccontextmanager
async def _understudy(faults: Sequence[str]) -> AsyncIterator[Place]:
    _RECORD.unlink(missing_ok=True)
    key = secrets.token_hex()
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        with (LOGS / "understudy.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "understudy", "--port", "0", "--cert-dir", directory),
                *("--record", str(_RECORD), "--keys", key, "--until-eof"),
                *(f"--fault={fault}" for fault in faults),
                cwd=_PROJECT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            yield await _ready(process, key)
            if process.returncode is not None:
                raise StartError(f"the understudy ended by itself with {process.returncode}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process, key: str) -> Place:
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        line = await asyncio.wait_for(process.stdout.readline(), _START_DEADLINE_S)
        words = line.decode().split()
        if words[:2] == ["understudy", "ready"]:
            return Place(url=words[2], certificate=words[4], key=key)
    where = (LOGS / "understudy.log").relative_to(_PROJECT)
    raise StartError(f"the understudy does not start; the reason is in {where}")


async def _run_client(client: Client, place: Place, slots: asyncio.Semaphore) -> Report:
    report = Report(client)
    async with slots:
        with (LOGS / f"{client.name}.log").open("wb") as log:
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
    foreign = ("GOOGLE_", "GEMINI_", "LIVEKIT_", "PYTHON", "NODE_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(foreign) and not name.upper().endswith("_PROXY")
    }
    return {
        **kept,
        "GOOGLE_API_KEY": place.key,
        "GOOGLE_GEMINI_BASE_URL": place.url,
        "SSL_CERT_FILE": place.certificate,
        "NODE_EXTRA_CA_CERTS": place.certificate,
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
