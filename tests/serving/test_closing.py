"""The end of a supervisor, told and untold: no process is left, and no file."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.settings import ROOT
from serving.supervisor.endings import Reason
from tests.serving.processes import children, lives, site


@pytest.fixture
def folder() -> Iterator[Path]:
    # A socket's name is short; pytest's own folders are not.
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


async def test_closing_ends_what_runs_and_what_waits(folder: Path):
    async with site(folder, spares=2) as here:
        await here.has_spares(2)
        sessions = [await here.begin(act="wait"), await here.begin(act="block")]
        pids = children()
        assert len(pids) >= 2
    assert not any(lives(pid) for pid in pids)
    assert children() == set()
    assert {here.endings[name].reason for name in sessions} == {Reason.CLOSED}
    assert here.left() == []


async def test_closing_while_a_process_is_being_started_leaves_none(folder: Path):
    async with site(folder, spares=8):
        await asyncio.sleep(0)
    assert children() == set()
    assert os.listdir(folder) == []


KILLED = """
import asyncio, pathlib, sys
from tests.serving.processes import site

async def main():
    async with site(pathlib.Path(sys.argv[1])) as here:
        await here.has_spares(1)
        session_id = await here.begin(act="wait")
        await here.has_spares(1)
        print(here.pid(session_id), *(spare.pid for spare in here.supervisor._spares), flush=True)
        await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_processes_whose_server_is_killed_end_by_themselves(folder: Path, tmp_path: Path):
    program = tmp_path / "server.py"
    program.write_text(KILLED)
    server = subprocess.Popen(
        [sys.executable, program, folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    with server, server.stdout:
        try:
            line = server.stdout.readline()
        finally:
            server.send_signal(signal.SIGKILL)
        pids = [int(pid) for pid in line.split()]
        assert len(pids) == 2
        deadline = time.monotonic() + 6
        while any(lives(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(lives(pid) for pid in pids)
