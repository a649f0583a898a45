"""How late the loop is, and the stack of what blocks it."""

import asyncio
import subprocess
import sys
import time

import pytest

from pipeline.loop_lag import MAX_DUMP_BYTES, MAX_SAMPLES, LoopLag, watch_loop
from pipeline.settings import ROOT

BLOCKED = """
import asyncio, ctypes, pathlib, sys
from pipeline.loop_lag import watch_loop

def holds_the_interpreter():
    ctypes.PyDLL(None).usleep(900_000)  # unlike `CDLL`, it does not let go of the GIL

async def main():
    with watch_loop(stacks=pathlib.Path(sys.argv[1]), blocked_s=0.1):
        await asyncio.sleep(0.1)
        holds_the_interpreter()

asyncio.run(main())
"""


def test_a_report_holds_what_came_since_the_last_one():
    lag = LoopLag()
    lag.ticked(0.002)
    lag.ticked(-0.001)  # a clock may be coarser than a tick is late
    lag.ticked(0.3)
    assert lag.report() == {"loop_lag_s": [0.002, 0.0, 0.3], "loop_lag_max_s": 0.3}
    assert lag.report() == {"loop_lag_s": [], "loop_lag_max_s": 0.0}


def test_the_greatest_lag_is_kept_when_there_are_more_than_are_reported():
    lag = LoopLag()
    lag.ticked(2.0)
    for _ in range(MAX_SAMPLES):
        lag.ticked(0.001)
    report = lag.report()
    assert len(report["loop_lag_s"]) == MAX_SAMPLES
    assert report["loop_lag_max_s"] == 2.0


async def test_a_loop_that_was_held_up_was_late_by_so_much():
    with watch_loop() as lag:
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - this is what is to be seen
        await asyncio.sleep(0.01)
        assert lag.report()["loop_lag_max_s"] == pytest.approx(0.15, abs=0.1)


async def test_nothing_ticks_once_nobody_watches():
    with watch_loop() as lag:
        pass
    lag.report()
    await asyncio.sleep(0.12)
    assert lag.report()["loop_lag_s"] == []


def test_the_stack_of_what_blocks_the_loop_is_written_while_the_interpreter_is_held(tmp_path):
    stacks = tmp_path / "stacks"
    command = [sys.executable, "-c", BLOCKED, str(stacks)]
    subprocess.run(command, cwd=ROOT, timeout=30, check=True)
    written = stacks.read_text()
    assert "in holds_the_interpreter" in written and "in main" in written
    assert written.count("Timeout (") == 1


async def test_a_file_of_stacks_that_is_full_gets_no_more(tmp_path):
    stacks = tmp_path / "stacks"
    stacks.write_bytes(bytes(MAX_DUMP_BYTES))
    with watch_loop(stacks=stacks, blocked_s=0.0):
        time.sleep(0.7)  # noqa: ASYNC251 - this is what is not to be reported
    assert stacks.stat().st_size == MAX_DUMP_BYTES
