"""Calls that are made: only numbers that may be called, only for who may, and nothing is left."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.phone.call import PhoneCall, Provider
from serving.supervisor.endings import Reason, ending
from tests.support.phone_site import Site, failed, phone_site

TO = "+15550300"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with phone_site(tmp_path, SALON_DIAL_OUT_TO="+1555,+49") as site:
        yield site


def told(answer, status: int) -> str:
    assert answer.status_code == status and set(answer.json()) == {"detail"}, answer.text
    assert answer.json()["detail"].endswith(".")
    return answer.json()["detail"]


async def test_a_room_that_may_call_and_a_session_that_speaks(site: Site):
    answer = await site.http.post("/calls", json={"to": TO, "body": {"persona": "art-critic"}})
    assert answer.status_code == 200, answer.text
    signed = answer.json()["sessionId"]
    (room,) = site.daily.rooms.values()
    assert room.record.config["enable_dialout"] is True
    (question,) = site.begun
    assert question["body"] == {"persona": "art-critic"}
    call = PhoneCall.of(question["phone"])
    assert (call.provider, call.called) == (Provider.DIAL_OUT, TO)
    assert (await site.http.get(f"/sessions/{signed}")).json() == {"state": "running"}


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "voicemail", "failure", "user"])
async def test_what_became_of_it_is_told(site: Site, outcome: str):
    signed = (await site.http.post("/calls", json={"to": TO})).json()["sessionId"]
    end = replace(ending(Reason.FINISHED), text="The line is busy.", outcome=outcome)
    await site.end_all()
    site.desk.tell(site.desk.read_id(signed), end)
    state = (await site.http.get(f"/sessions/{signed}")).json()
    assert (state["state"], state["outcome"]) == ("ended", outcome)
    assert state["text"] == "The line is busy."
    for path in site.folder.glob("*.ended"):
        path.unlink()


@pytest.mark.parametrize(
    ("to", "status", "words"),
    [
        ("15550300", 400, "like +15551234567"),
        ("+0123456789", 400, "like +15551234567"),
        ("sip:a@example.com", 400, "like +15551234567"),
        ("+1555 0300", 400, "like +15551234567"),
        ("+1555" + "1" * 20, 400, "like +15551234567"),
        ("+15550300\n", 400, "like +15551234567"),
        ("+3312345678", 403, "SALON_DIAL_OUT_TO"),
        ("+1" * 40, 400, "to can't be used"),
    ],
)
async def test_what_may_not_be_called_is_not(site: Site, to: str, status: int, words: str):
    assert words in told(await site.http.post("/calls", json={"to": to}), status)
    assert site.daily.records == [] and site.begun == []


async def test_nobody_is_called_unless_that_is_set(tmp_path: Path):
    async with phone_site(tmp_path) as site:
        assert "SALON_DIAL_OUT_TO" in told(await site.http.post("/calls", json={"to": TO}), 403)


async def test_a_key_is_needed_where_calls_need_one(tmp_path: Path):
    key = "0123456789abcdef"
    keys = f"website:{key}"
    async with phone_site(tmp_path, SALON_DIAL_OUT_TO="+1", SALON_API_KEYS=keys) as site:
        told(await site.http.post("/calls", json={"to": TO}), 401)
        headers = {"X-API-Key": key}
        answer = await site.http.post("/calls", json={"to": TO}, headers=headers)
        assert answer.status_code == 200


async def test_pages_from_elsewhere_call_nobody(site: Site):
    headers = {"Origin": "https://evil.example"}
    told(await site.http.post("/calls", json={"to": TO}, headers=headers), 403)


async def test_a_number_is_called_so_often_at_a_time(site: Site):
    for status in (200, 200, 429):
        assert (await site.http.post("/calls", json={"to": TO})).status_code == status
    assert (await site.http.post("/calls", json={"to": "+4930123456"})).status_code == 200


@pytest.mark.parametrize("body", [{}, {"to": 7}, {"to": TO, "body": []}, []], ids=repr)
async def test_what_names_no_number_is_refused_with_an_example(site: Site, body):
    assert '{"to": "+15551234567"' in told(await site.http.post("/calls", json=body), 400)


async def test_without_a_room_there_is_no_call(site: Site):
    site.daily.fail("POST /rooms", status=400)  # as Daily answers who may not dial out
    told(await site.http.post("/calls", json={"to": TO}), 502)
    site.fails = failed()
    told(await site.http.post("/calls", json={"to": TO}), 503)
    assert site.admission.running == 0
