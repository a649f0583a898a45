"""How late a server's event loop is comes out as it was, and the server notices nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.media import loop_lag

SERVER = """\
import asyncio, json, sys, time
import beside
async def main():
    await asyncio.sleep(0.3)
    begun_s = time.monotonic()
    time.sleep(0.3)
    await asyncio.sleep(0.7)
    print(json.dumps([__name__, __file__, sys.argv[1:], begun_s]))
    assert sys.modules["__main__"].main is main
if sys.argv[1] == "asyncio":
    asyncio.run(main())
else:
    import uvloop
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_blocked_loop_is_seen_from_within_the_servers_process(tmp_path, loop):
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "beside.py").write_text("")
    noted = tmp_path / "lag.log"
    done = subprocess.run(
        [sys.executable, str(Path(loop_lag.__file__)), "server.py", loop],
        cwd=tmp_path,
        env={**os.environ, loop_lag.FILE: str(noted)},
        stdout=subprocess.PIPE,
        check=True,
    )
    name, file, options, begun_s = json.loads(done.stdout)
    assert (name, file, options) == ("__main__", str(tmp_path / "server.py"), [loop])
    late_ms = loop_lag.lags(noted.read_text(), since_s=begun_s, until_s=begun_s + 0.5)
    assert max(late_ms) > 240  # of 300, less the 50 that it slept anyway


def test_only_what_was_noted_during_the_calls_counts():
    text = "9.900 800.0 1 7\n10.000 0.1 1 7\n10.050 0.0 1 7\n10.100 900.0 1 7\n"
    assert loop_lag.lags(text, since_s=10.0, until_s=10.1) == [0.1, 0.0]


def test_a_process_that_waits_for_a_call_does_not_count():
    busy = "10.000 5.0 1.000 7\n10.900 6.0 1.100 7\n"
    waiting = "10.000 0.0 2.000 8\n10.900 0.1 2.001 8\n"
    assert loop_lag.lags(waiting + busy, since_s=10.0, until_s=11.0) == [5.0, 6.0]


PARENT = """\
import asyncio, multiprocessing, sys, time
async def block():
    await asyncio.sleep(0.3)
    time.sleep(0.2)
    await asyncio.sleep(0.2)
def child():
    asyncio.run(block())
if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=beside.child)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


def test_a_process_of_the_servers_is_seen_too(tmp_path):
    (tmp_path / "beside.py").write_text(PARENT)
    (tmp_path / "server.py").write_text("import beside\n" + PARENT)
    noted = tmp_path / "lag.log"
    subprocess.run(
        [sys.executable, str(Path(loop_lag.__file__)), "server.py"],
        cwd=tmp_path,
        env={**os.environ, loop_lag.FILE: str(noted)},
        check=True,
    )
    assert max(loop_lag.lags(noted.read_text(), since_s=0.0, until_s=float("inf"))) > 140
