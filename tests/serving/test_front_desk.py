"""What is kept for a call from its acceptance to its end, and that nothing of it stays."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from serving.access.session_ids import SessionIds
from serving.admission.admission import RESERVED_S, Admission, Limits
from serving.admission.dispatcher import LocalDispatcher
from serving.front_desk import FrontDesk, Guest
from serving.refused import Refused
from serving.supervisor.endings import Reason, ending
from serving.supervisor.process import ProcessFailed
from tests.access.support import settings

HERE = Guest(client="127.0.0.1")
SETTINGS = settings(GOOGLE_API_KEY="the server's own")


class Machine:
    """A server with room for one; its sessions leave a socket's name, as processes do."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails: Exception | None = None
        self.begun: list[dict[str, Any]] = []

    def free_slots(self, admission: Admission) -> int:
        return 1 - admission.running

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        self.begun.append(question)
        await self.may_answer.wait()
        if self.fails:
            raise self.fails
        (self._folder / f"{session_id}.sock").touch()
        return {"ok": {}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def admission() -> Admission:
    return Admission(Limits())


@pytest.fixture
async def desk(tmp_path: Path, machine: Machine, admission: Admission) -> FrontDesk:
    dispatcher = LocalDispatcher(admission)
    await dispatcher.register(machine)
    ids = SessionIds(b"x" * 32)
    return FrontDesk(settings=SETTINGS, folder=tmp_path, dispatcher=dispatcher, ids=ids)


@pytest.fixture
async def accepted(desk: FrontDesk) -> str:
    return desk.read_id(await desk.accept("webrtc", {"persona": "companion"}, HERE))


def kept(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


async def test_what_was_accepted_is_what_begins(desk, machine, accepted, tmp_path):
    assert kept(tmp_path) == {".start"}
    await desk.begin(accepted, way="webrtc", offer={"sdp": "x"})
    (question,) = machine.begun
    assert question["body"] == {"persona": "companion"} and question["offer"] == {"sdp": "x"}
    assert kept(tmp_path) == {".files", ".sock"}


async def test_what_never_begins_is_forgotten_with_its_slot(desk, admission, accepted, tmp_path):
    path = tmp_path / f"{accepted}.start"
    await desk.forget_late()
    assert path.exists()
    for late_s in (RESERVED_S + 1, -RESERVED_S - 1):  # the clock may have been set back
        os.utime(path, (time.time() - late_s, time.time() - late_s))
        await desk.forget_late()
        assert not path.exists() and admission.running == 0
        accepted = desk.read_id(await desk.accept("webrtc", {}, HERE))
        path = tmp_path / f"{accepted}.start"


async def test_a_call_that_has_begun_is_not_late(desk, admission, accepted, tmp_path):
    await desk.begin(accepted, way="webrtc")
    await desk.forget_late()
    assert admission.leased == 1 and kept(tmp_path) == {".files", ".sock"}


@pytest.mark.parametrize("error", [ProcessFailed("x"), RuntimeError("x")])
async def test_a_call_that_could_not_begin_leaves_nothing(
    desk, machine, admission, accepted, tmp_path, error
):
    machine.fails = error
    with pytest.raises((Refused, RuntimeError)):
        await desk.begin(accepted, way="webrtc")
    assert admission.running == 0 and kept(tmp_path) == set()


async def test_a_call_without_a_place_for_its_files_is_refused_and_leaves_nothing(
    desk, admission, accepted, tmp_path
):
    (tmp_path / f"{accepted}.files").touch()  # a file where the folder should be
    with pytest.raises(Refused) as caught:
        await desk.begin(accepted, way="webrtc")
    assert caught.value.status == 503 and admission.running == 0
    assert ".start" not in kept(tmp_path)


async def test_who_ends_a_call_that_is_just_beginning_waits_for_it(
    desk, machine, admission, accepted, tmp_path
):
    machine.may_answer.clear()
    machine.fails = ProcessFailed("x")
    beginning = asyncio.create_task(desk.begin(accepted, way="webrtc"))
    await asyncio.sleep(0)
    ending_it = asyncio.create_task(desk.end(accepted, "x"))
    await asyncio.sleep(0.01)
    assert not ending_it.done() and admission.leased == 1
    assert desk.is_known(accepted)
    machine.may_answer.set()
    await asyncio.gather(beginning, ending_it, return_exceptions=True)
    assert ending_it.exception() is None and admission.running == 0


async def test_ending_a_call_whose_process_is_just_gone_is_no_error(desk, accepted, tmp_path):
    await desk.begin(accepted, way="webrtc")
    await desk.end(accepted, "x")  # nobody listens at its socket


async def test_of_two_servers_on_a_folder_one_begins_the_call(desk, machine, accepted, tmp_path):
    other = LocalDispatcher(Admission(Limits()))
    await other.register(machine)
    ids = SessionIds(b"x" * 32)
    beside = FrontDesk(settings=SETTINGS, folder=tmp_path, dispatcher=other, ids=ids)
    answers = await asyncio.gather(
        *(one.begin(accepted, way="webrtc") for one in (desk, beside)), return_exceptions=True
    )
    assert len(machine.begun) == 1
    assert [error.status for error in answers if isinstance(error, Refused)] == [409]


async def test_that_nobody_can_be_told_why_a_call_ended_harms_nobody(desk, accepted, tmp_path):
    (tmp_path / f"{accepted}.ended").mkdir()
    desk.tell(accepted, ending(Reason.CRASHED))


async def test_how_a_call_ended_is_told_for_a_while(desk, accepted):
    assert await desk.wait_for_end(accepted, within_s=0) is None
    desk.tell(accepted, ending(Reason.CRASHED))
    assert await desk.wait_for_end(accepted, within_s=0) == ending(Reason.CRASHED)
    assert desk.is_told_of(accepted)


KEY = SecretStr("a-key-of-the-caller")


async def test_a_callers_key_is_kept_in_memory_alone_until_the_call_begins(
    desk, machine, admission, tmp_path
):
    accepted = desk.read_id(await desk.accept("webrtc", {}, HERE, KEY))
    assert KEY.get_secret_value() not in (tmp_path / f"{accepted}.start").read_text()
    await desk.begin(accepted, way="webrtc")
    (question,) = machine.begun
    assert question["own_key"] == KEY.get_secret_value()
    assert desk._own_keys.of(accepted) is None


async def test_a_key_is_forgotten_with_its_call(desk, tmp_path):
    accepted = desk.read_id(await desk.accept("webrtc", {}, HERE, KEY))
    os.utime(tmp_path / f"{accepted}.start", (0, 0))
    await desk.forget_late()
    assert desk._own_keys.of(accepted) is None


async def test_a_server_that_took_over_does_not_have_the_key_and_says_so(desk, machine, tmp_path):
    accepted = desk.read_id(await desk.accept("webrtc", {}, HERE, KEY))
    other = LocalDispatcher(Admission(Limits()))
    await other.register(machine)
    ids = SessionIds(b"x" * 32)
    after = FrontDesk(settings=SETTINGS, folder=tmp_path, dispatcher=other, ids=ids)
    with pytest.raises(Refused, match="start again") as error:
        await after.begin(accepted, way="webrtc")
    assert error.value.status == 409 and machine.begun == [] and kept(tmp_path) == set()
    await desk.forget_late()
    assert desk._own_keys.of(accepted) is None


async def test_what_can_not_be_had_is_refused_in_a_sentence(desk, tmp_path):
    for choices in ({"answers": "song"}, {"voice": "Nobody"}, {"language": 7}, {"persona": "x"}):
        with pytest.raises(Refused) as error:
            await desk.accept("webrtc", choices, HERE)
        assert error.value.status == 400 and str(error.value).endswith(".")
    assert kept(tmp_path) == set()


async def test_a_room_is_deleted_though_its_session_s_end_is_still_told(desk, tmp_path):
    desk.tell("ended", ending(Reason.FINISHED))
    kept_in = tmp_path / "ended.room"
    kept_in.write_text(json.dumps({"name": "salon-1", "expires_s": 0}))
    os.utime(kept_in, (0, 0))
    await desk.forget_late()
    assert desk.rooms._leaving
    await desk.aclose()
