"""Sessions in processes of their own: real forks, a tiny bot."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from serving.supervisor.endings import Reason
from serving.supervisor.process import ProcessFailed
from serving.supervisor.watch import Bounds
from tests.serving.processes import Site, children, lives, site, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = 128


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Site]:
    """One for all: the first process of a test run loads all that they share."""
    # A socket's name is short; pytest's own folders are not.
    with tempfile.TemporaryDirectory() as folder:
        async with site(Path(folder), bounds=Bounds(memory_bytes=200 * 2**20, files=FILES)) as here:
            yield here
        assert here.left() == []


async def test_a_spare_takes_the_call_and_another_takes_its_place(shared: Site):
    (spare,) = await shared.has_spares(1)
    session_id = await shared.begin(act="wait")
    assert shared.pid(session_id) == spare
    (next_one,) = await shared.has_spares(1)
    assert next_one != spare
    await shared.supervisor.end(session_id, "")
    assert (await shared.ended(session_id)).reason is Reason.FINISHED
    await shared.caller_is_left(session_id)


async def test_a_process_has_one_call_and_is_gone_after_it(shared: Site):
    pids = []
    for _ in range(4):
        session_id = await shared.begin(act="wait")
        pids.append(shared.pid(session_id))
        await shared.supervisor.end(session_id, "")
        await shared.ended(session_id)
        assert not lives(pids[-1])
    assert len(set(pids)) == 4


async def test_a_running_process_takes_no_second_call(shared: Site):
    session_id = await shared.begin(act="wait")
    process = shared.supervisor.sessions[session_id]
    question = {"do": "begin", "session": "x", "way": "websocket", "head": "", "body": {}}
    status, sentence = (await process.ask({**question, "files": "/"}))["refused"]
    assert status == 409 and "begun" in sentence
    assert lives(process.pid)
    await shared.supervisor.end(session_id, "")
    await shared.ended(session_id)


async def test_a_spare_that_dies_is_replaced_without_a_call_that_finds_out(shared: Site):
    (spare,) = await shared.has_spares(1)
    os.kill(spare, signal.SIGKILL)
    await until(lambda: not lives(spare))
    (next_one,) = await shared.has_spares(1)
    assert next_one != spare


async def test_a_call_that_comes_just_as_the_spare_died_gets_another_process(shared: Site):
    (spare,) = await shared.has_spares(1)
    process = shared.supervisor._spares[0]
    os.kill(spare, signal.SIGKILL)
    await process.ended
    session_id = await shared.begin(act="wait")
    assert shared.pid(session_id) != spare
    await shared.supervisor.end(session_id, "")
    await shared.ended(session_id)


async def test_a_spare_that_hangs_is_replaced(shared: Site):
    (spare,) = await shared.has_spares(1)
    os.kill(spare, signal.SIGSTOP)
    await until(lambda: not lives(spare))
    (next_one,) = await shared.has_spares(1)
    assert next_one != spare


@pytest.mark.parametrize(
    ("act", "reason"),
    [("leave", Reason.FINISHED), ("exit", Reason.CRASHED), ("block", Reason.HUNG)],
)
async def test_how_a_session_ended_is_told_once_its_process_is_gone(shared: Site, act, reason):
    session_id = await shared.begin(act=act)
    assert (await shared.ended(session_id)).reason is reason
    assert session_id not in shared.supervisor.sessions
    await shared.caller_is_left(session_id)
    assert not list(shared.folder.glob(f"{session_id}*"))


async def test_when_it_is_told_how_a_session_ended_its_socket_is_still_there(shared: Site):
    """Whoever looks finds one or the other."""
    seen = []
    tell = shared.endings.__setitem__

    def told(session_id: str, what) -> None:
        seen.append((shared.folder / f"{session_id}.sock").exists())
        tell(session_id, what)

    shared.supervisor._on_end = told
    session_id = await shared.begin(act="leave")
    await shared.ended(session_id)
    shared.supervisor._on_end = tell
    assert seen == [True]


async def test_a_process_that_stops_beating_is_killed(shared: Site):
    session_id = await shared.begin(act="wait")
    pid = shared.pid(session_id)
    os.kill(pid, signal.SIGSTOP)
    assert (await shared.ended(session_id)).reason is Reason.HUNG
    assert not lives(pid)


async def test_the_kernel_holds_a_process_to_its_bounds(shared: Site):
    told = shared.folder / "limits.json"
    session_id = await shared.begin(act="tell limits", told=str(told))
    await until(told.exists)
    limits = json.loads(told.read_text())
    told.unlink()
    assert limits["RLIMIT_NOFILE"] == [FILES, FILES]
    assert limits["RLIMIT_CORE"] == [0, 0]
    assert limits["10 GB"] == "MemoryError"
    assert limits["RLIMIT_DATA"][0] < 10 * 2**30
    assert 0 < limits["files"] < FILES and limits["one file more"] == "Too many open files"
    await shared.supervisor.end(session_id, "")
    await shared.ended(session_id)


@pytest.mark.parametrize(
    "question",
    [
        {"way": "carrier pigeon"},
        {"way": "webrtc", "offer": {"sdp": "x", "type": "offer"}, "ice_servers": []},
        {"way": "websocket"},
    ],
    ids=lambda question: question["way"],
)
async def test_a_call_that_is_refused_leaves_nothing(shared: Site, question: dict):
    session_id = f"{id(question):032x}"
    begin = {**question, "body": {}, "files": str(shared.folder)}
    answer = await shared.supervisor.begin(session_id, begin)
    assert answer["refused"][1].endswith(".")
    await shared.ended(session_id)
    assert not list(shared.folder.glob(f"{session_id}*"))


async def test_a_call_whose_process_dies_as_it_begins_is_told_so(shared: Site):
    await shared.has_spares(1)
    process = shared.supervisor._spares[0]
    os.kill(process.pid, signal.SIGSTOP)
    beginning = asyncio.create_task(shared.begin(act="wait"))
    await until(lambda: process in shared.supervisor.sessions.values())
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ProcessFailed):
        await beginning
    await until(lambda: process not in shared.supervisor.sessions.values())


async def test_thirty_sessions_leave_no_file_and_no_process(shared: Site):
    await shared.has_spares(1)
    before = psutil.Process().num_fds()
    for _ in range(6):
        for session_id in await asyncio.gather(*(shared.begin(act="leave") for _ in range(5))):
            await shared.ended(session_id)
            await shared.caller_is_left(session_id)
    (spare,) = await shared.has_spares(1)
    assert psutil.Process().num_fds() <= before
    assert children() == {spare}
    assert {Path(name).stem for name in shared.left()} == {
        process.path.stem for process in shared.supervisor._spares
    }


async def test_a_forkserver_that_is_killed_ends_its_calls_and_is_started_again(shared: Site):
    session_id = await shared.begin(act="wait")
    pid = shared.pid(session_id)
    forkserver = psutil.Process(pid).parent()
    assert forkserver and forkserver.ppid() == os.getpid()
    forkserver.kill()
    assert (await shared.ended(session_id)).reason is Reason.CRASHED
    await shared.caller_is_left(session_id)
    await until(lambda: not lives(pid))
    again = await shared.begin(act="wait")
    assert lives(shared.pid(again))
    await shared.supervisor.end(again, "")
    assert (await shared.ended(again)).reason is Reason.FINISHED
