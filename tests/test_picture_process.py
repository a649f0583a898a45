"""The process in which a picture is decoded: what it may do, and that nothing of it stays."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time

import psutil
import pytest
import uvloop

from pipeline import picture_process, picture_program
from pipeline.picture_decoder import PictureError, PictureTooLargeError
from pipeline.picture_process import PicturesBusyError, clean_picture
from pipeline.settings import ROOT
from tests.support.pictures import noise, slow_jpeg

PICTURE = noise("PNG")


OTHERS: set[int] = set()
"""Processes of this one that have nothing to do with pictures."""


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.pid not in OTHERS]


async def until_started(count: int = 1) -> None:
    async with asyncio.timeout(10):
        while len(children()) < count:
            await asyncio.sleep(0.005)


@pytest.fixture
def program(monkeypatch):
    """Another program than ours, as lines that follow on `p` being ours."""

    def instead(lines: str) -> None:
        head = f"import os, signal, sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        code = head + "from pipeline import picture_program as p\n" + lines
        monkeypatch.setattr(picture_process, "COMMAND", [sys.executable, "-I", "-c", code])

    return instead


@pytest.fixture(autouse=True)
def nothing_is_left():
    OTHERS.clear()
    OTHERS.update(child.pid for child in psutil.Process().children())
    yield
    assert children() == []


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_it_works_on_either_event_loop(new_loop):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        picture = runner.run(clean_picture(PICTURE))
    assert (picture.width, picture.height) == (96, 64)


def test_it_works_in_a_process_that_was_forked():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.support.forked"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert printed.stdout.split() == [b"96"] * 3


async def test_a_file_is_read_from_where_it_is(tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    with path.open("rb") as file:
        file.read()
        assert await clean_picture(file) == await clean_picture(PICTURE)
        assert not file.closed


async def test_it_is_told_nothing_and_bounded_before_it_looks(program, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_API_KEY", "planted-secret")
    program("""if True:
        import json, resource
        p.limit()
        kinds = "AS CPU FSIZE NOFILE CORE".split()
        limits = {k: resource.getrlimit(getattr(resource, "RLIMIT_" + k)) for k in kinds}
        files = len(os.listdir("/proc/self/fd")) - 1  # the listing itself
        print(json.dumps([sorted(os.environ), files, os.getcwd(), limits]))
        sys.stdout.flush()
        os._exit(p.REFUSED)
    """)
    with (tmp_path / "open").open("w"), pytest.raises(PictureError) as refused:
        await clean_picture(PICTURE)
    environment, files, folder, limits = json.loads(str(refused.value))
    assert set(environment) <= {"LC_CTYPE"}  # which Python sets itself
    assert (files, folder) == (3, "/")
    assert limits == {
        "AS": [512 * 2**20] * 2,
        "CPU": [10, 11],
        "FSIZE": [8 * 2**20] * 2,
        "NOFILE": [16, 16],
        "CORE": [0, 0],
    }


async def test_one_that_takes_too_long_to_decode_is_ended(program):
    program("p.CPU_S = 1; p.run()")
    bomb = slow_jpeg(scans=20_000)
    assert len(bomb) < 5_000_000
    with pytest.raises(PictureTooLargeError, match="takes too long to decode"):
        await clean_picture(bomb)


async def test_one_that_only_waits_is_ended_too(program):
    program("p.WALL_CLOCK_S = 1; p.limit(); time.sleep(60)")
    with pytest.raises(PictureTooLargeError, match="takes too long to decode"):
        await clean_picture(PICTURE)


async def test_one_that_does_not_keep_to_that_is_ended_from_outside(program, monkeypatch):
    monkeypatch.setattr(picture_process, "PATIENCE_S", 1.0)
    program("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    with pytest.raises(PictureTooLargeError, match="takes too long to decode"):
        await clean_picture(PICTURE)


@pytest.mark.parametrize(
    "lines",
    [
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "raise RuntimeError('a hole')",
        "os._exit(77)",
        "pass",
        "print('not two numbers')",
        "p.limit(); p.main = lambda: b'x' * 2**30; p.run()",
        "p.limit(); sys.stdout.write('x' * 2**24)",
    ],
)
async def test_one_that_dies_or_talks_nonsense_is_a_broken_picture(program, lines):
    program(lines)
    with pytest.raises(PictureError, match="broken: it could not be read") as refused:
        await clean_picture(PICTURE)
    assert type(refused.value) is PictureError


async def test_where_no_process_can_be_started_that_is_not_the_pictures_fault(monkeypatch):
    monkeypatch.setattr(picture_process, "COMMAND", ["/nowhere"])
    with pytest.raises(PicturesBusyError, match="send this one again"):
        await clean_picture(PICTURE)


async def test_who_does_not_wait_for_it_ends_it(program):
    program("time.sleep(60)")
    task = asyncio.create_task(clean_picture(PICTURE))
    await until_started()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


async def test_who_does_not_wait_for_its_start_starts_nothing(program):
    program("time.sleep(60)")
    for _ in range(5):
        task = asyncio.create_task(clean_picture(PICTURE))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() == []


async def test_two_are_decoded_at_a_time_and_the_third_waits(program, monkeypatch):
    monkeypatch.setattr(picture_process, "PATIENCE_S", 2.0)
    program("time.sleep(60)")
    tasks = [asyncio.create_task(clean_picture(PICTURE)) for _ in range(3)]
    await until_started(2)
    assert len(children()) == 2
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert len(children()) == 0
    assert sorted(type(result).__name__ for result in results) == [
        "PictureTooLargeError",
        "PictureTooLargeError",
        "PicturesBusyError",
    ]


async def test_each_has_a_process_of_its_own(program):
    program("print(os.getpid()); sys.stdout.flush(); os._exit(p.REFUSED)")
    processes = set()
    for _ in range(3):
        with pytest.raises(PictureError) as refused:
            await clean_picture(PICTURE)
        processes.add(str(refused.value))
    assert len(processes) == 3


async def test_the_event_loop_goes_on(program):
    program("time.sleep(0.5); p.run()")
    task = asyncio.create_task(clean_picture(PICTURE))
    began_s = time.monotonic()
    turns = 0
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert time.monotonic() - began_s > 0.5
    assert turns > 10
    assert task.result().width == 96


async def test_it_leaves_no_file_open():
    await clean_picture(PICTURE)
    before = psutil.Process().num_fds()
    for _ in range(3):
        await clean_picture(PICTURE)
        with contextlib.suppress(PictureError):
            await clean_picture(b"none")
    assert psutil.Process().num_fds() == before


def test_the_largest_answer_fits():
    picture = noise("JPEG", (1600, 1600), quality=85)
    assert len(picture) * 2 < picture_program.OUTPUT_BYTES
