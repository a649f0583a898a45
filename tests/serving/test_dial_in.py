"""A call to a number of Daily's: taken when Daily says so, once, and nothing is left of it."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.phone.call import PhoneCall, Provider
from serving.access.webhooks import WINDOW_S, is_trial
from serving.phone.taken_calls import TakenCalls
from tests.support.phone_site import CALLED, Site, a_call, failed, phone_site, until
from understudy.daily.webhooks import headers as signed_headers

KEY = "c2FsdCBhbmQgcGVwcGVyIHBsZWFzZQ=="
CAPTURED = (
    b'{"To":"+14155550100","From":"+14155550101","callId":"c-1","callDomain":"d-1"}',
    {
        "X-Pinless-Timestamp": "1800000000000",
        "X-Pinless-Signature": "6NrR4cWxADC5cF9oqJHaD7lO6A6WhmZE3IYRAwR3AB0=",
    },
)
"""Signed with OpenSSL and `KEY`; see tests/access/test_webhooks.py."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with phone_site(tmp_path) as site:
        yield site


def sentence(answer) -> str:
    assert answer.status_code != 500 and set(answer.json()) == {"detail"}, answer.text
    assert re.fullmatch(r"[^\n]+\.", answer.json()["detail"])
    return answer.json()["detail"]


# --- what is Daily's ----------------------------------------------------------------------------


async def test_a_call_gets_a_room_and_a_bot(site: Site):
    headers = {"X-Queue": "one\ntwo", "bad name": "x", "X-Number": 7, "X-List": [1]}
    answer = await site.announce(a_call(From="+1 (555) 020-0001", sipHeaders=headers))
    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    ((name, room),) = site.daily.rooms.items()
    assert room.record.config["sip"]["display_name"] == "+15550200001"
    (question,) = site.begun
    assert question["way"] == "daily" and question["room"]["url"].endswith(f"/{name}")
    assert PhoneCall.of(question["phone"]) == PhoneCall(
        provider=Provider.DAILY,
        call_id="call-1",
        call_domain="domain-1",
        caller="+15550200001",
        called=CALLED,
        sip_headers={"X-Queue": "one two", "X-Number": "7"},
    )


async def test_the_room_is_deleted_when_the_call_ends(site: Site):
    await site.announce(a_call())
    await site.end_all()
    await until(lambda: not site.daily.rooms)


async def test_who_answers_depends_on_the_number_that_was_called(tmp_path: Path):
    async with phone_site(tmp_path, SALON_PHONE_PERSONAS=f"{CALLED}=art-critic") as site:
        await site.announce(a_call(1))
        await site.announce(a_call(2, To="+15550199"))
        assert [one["body"] for one in site.begun] == [{"persona": "art-critic"}, {}]


async def test_a_captured_webhook_counts_in_its_time_and_only_then(tmp_path, monkeypatch):
    body, headers = CAPTURED
    async with phone_site(tmp_path, DAILY_PINLESS_HMAC_SECRET=KEY) as site:
        assert "not of now" in sentence(await site.announce(body, **headers))
        board = site.app.state.switchboard
        monkeypatch.setattr(board, "_time_s", lambda: 1_800_000_000.0 + WINDOW_S)
        assert (await site.announce(body, **headers)).json() == {"status": "taken"}
        answer = await site.announce(body, **headers)
        assert answer.status_code == 409 and "came before" in sentence(answer)
        assert len(site.begun) == 1


async def test_the_trial_is_answered_and_nothing_is_done(site: Site):
    for body in (b'{"test":"test"}', b'{"Test": "test"}'):
        answer = await site.http.post("/daily-dialin-webhook", content=body)
        assert (answer.status_code, answer.json()) == (200, {"status": "trial"})
    assert site.begun == [] and site.daily.records == []


async def test_a_call_that_is_announced_twice_gets_one_bot(site: Site):
    answers = await asyncio.gather(
        site.announce(json.dumps(a_call()).encode()),
        site.announce(json.dumps(a_call()).encode() + b" "),
        site.announce(json.dumps(a_call()).encode() + b"\n"),
    )
    told = [answer.json()["status"] for answer in answers]
    assert sorted(told) == ["taken", "taken before", "taken before"]
    assert len(site.begun) == 1 and len(site.daily.rooms) == 1


async def test_a_server_that_succeeds_knows_the_calls_that_were_taken(site: Site, tmp_path: Path):
    await site.announce(a_call())
    assert not TakenCalls(tmp_path).take(PhoneCall(provider=Provider.DAILY, call_id="call-1"))


async def test_pages_and_keys_are_nothing_to_daily(tmp_path: Path):
    async with phone_site(tmp_path, SALON_API_KEYS="website:0123456789abcdef") as site:
        assert (await site.announce(a_call())).json() == {"status": "taken"}


# --- what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [-WINDOW_S - 5, WINDOW_S + 5, 86_400])
async def test_what_is_late_or_early_is_refused(site: Site, late_s: float):
    body = json.dumps(a_call()).encode()
    answer = await site.announce(
        body, **signed_headers(site.daily.hmac, time.time() + late_s, body)
    )
    assert answer.status_code == 401 and "not of now" in sentence(answer)
    assert site.begun == []


async def test_what_somebody_else_signed_is_refused(site: Site):
    body = json.dumps(a_call()).encode()
    other = base64.b64encode(b"another secret of Daily's").decode()
    signed = signed_headers(site.daily.hmac, time.time(), body)
    for headers, sent in (
        (signed_headers(other, time.time(), body), body),
        (signed, body.replace(b"0001", b"0002")),
        (signed | {"X-Pinless-Timestamp": "1"}, body),
        (signed | {"X-Pinless-Signature": ""}, body),
        ({"Content-Type": "application/json"}, body),
    ):
        answer = await site.announce(sent, **headers)
        assert answer.status_code == 401, sentence(answer)
    assert site.begun == [] and site.daily.records == []


async def test_without_a_secret_nobody_is_believed(tmp_path: Path):
    async with phone_site(tmp_path) as signing:
        body = json.dumps(a_call()).encode()
        headers = signed_headers(signing.daily.hmac, time.time(), body)
        async with phone_site(tmp_path, DAILY_PINLESS_HMAC_SECRET=None) as site:
            assert (await site.announce(body, **headers)).status_code == 503
            assert site.begun == []


MALFORMED = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"[" * 9_000,
    b"[]",
    b"null",
    b'"call"',
    b"{}",
    *(
        json.dumps(body).encode()
        for body in (
            {"To": CALLED},
            a_call(callId=None),
            a_call(callId=""),
            a_call(callId=7),
            a_call(callId="x" * 257),
            a_call(callId="a\nb"),
            a_call(callId="\ud800"),
            a_call(callDomain={}),
            a_call(From=["+1"]),
            a_call(To="+" * 300),
        )
    ),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:50]))
async def test_what_tells_of_no_call_is_refused_before_anything_is_made(site: Site, body: bytes):
    assert "must be JSON that tells of a call" in sentence(await site.announce(body))
    assert site.begun == [] and site.daily.records == []


async def test_what_is_too_large_is_not_even_read(site: Site):
    answer = await site.announce(a_call(sipHeaders={"X": "y" * 20_000}))
    assert answer.status_code == 413 and "16 KB" in sentence(answer)
    assert site.daily.records == []


@pytest.mark.parametrize(
    "odd",
    [None, [], "x", 7, {"X": {"Y": 1}}, {"": ""}, {"X" * 100: "y"}, {"X": "\ud800\x00" * 200}],
    ids=repr,
)
async def test_odd_sip_headers_are_left_out_and_the_call_is_taken(site: Site, odd):
    assert (await site.announce(a_call(sipHeaders=odd))).json() == {"status": "taken"}
    headers = site.begun[0]["phone"]["sip_headers"]
    assert all(text.isprintable() and len(text) <= 200 for text in headers.values())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
fields = st.fixed_dictionaries(
    {},
    optional={name: anything for name in ("From", "To", "callId", "callDomain", "sipHeaders")},
)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
bodies = st.binary(max_size=200) | fields.map(lambda told: json.dumps(told).encode())


def generated(count: int, **what: st.SearchStrategy) -> list[dict]:
    """So many examples, the same each time."""
    found: list[dict] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(st.fixed_dictionaries(what))
    def collect(one: dict) -> None:
        found.append(one)

    collect()
    assert len(found) >= count
    return found


async def test_of_a_thousand_webhooks_only_the_true_one_starts_a_bot_and_once(tmp_path: Path):
    made_up = generated(
        1_000,
        body=bodies.filter(lambda body: not is_trial(body)),
        timestamp=st.text("0123456789.-e", max_size=16),
        signature=st.binary(max_size=40).map(lambda mac: base64.b64encode(mac).decode()),
    )
    sent = [
        (
            one["body"],
            {"X-Pinless-Timestamp": one["timestamp"], "X-Pinless-Signature": one["signature"]},
        )
        for one in made_up
    ]
    async with phone_site(tmp_path) as site:
        true = json.dumps(a_call()).encode()
        signed = signed_headers(site.daily.hmac, time.time(), true)
        sent.insert(500, (true, signed))
        sent.append((true, signed))
        statuses = [(await site.announce(body, **headers)).status_code for body, headers in sent]
        assert (statuses[500], statuses[-1]) == (200, 409)
        assert set(statuses[:500] + statuses[501:-1]) == {401}
        assert len(site.begun) == 1


async def test_nothing_that_daily_could_sign_breaks_the_server(tmp_path: Path):
    async with phone_site(tmp_path, slots=1_000, SALON_MAX_CALLS_PER_NUMBER="1000") as site:
        calls = st.fixed_dictionaries(
            {"From": st.text(max_size=300), "To": st.text(max_size=300), "callDomain": names},
            optional={"sipHeaders": anything},
        ).map(lambda told: json.dumps(told | {"callId": f"c-{hash(str(told))}"}).encode())
        answers = [await site.announce(one["body"]) for one in generated(150, body=bodies | calls)]
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 400, 409} and statuses.count(400) > 10
        assert len(site.begun) > 10
        assert len(site.begun) <= statuses.count(200)


# --- what fails ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["POST /rooms", "POST /meeting-tokens"])
@pytest.mark.parametrize("how", [{"status": 400}, {"status": 403, "is_done": True}], ids=str)
async def test_a_call_without_a_room_leaves_nothing_and_may_be_announced_again(site, what, how):
    site.daily.fail(what, **how)
    body = json.dumps(a_call()).encode()
    headers = signed_headers(site.daily.hmac, time.time(), body)
    answer = await site.announce(body, **headers)
    assert answer.status_code == 502 and "Daily" in sentence(answer)
    assert site.admission.running == 0 and site.begun == []
    assert (await site.announce(body, **headers)).json() == {"status": "taken"}


@pytest.mark.parametrize("error", [failed(), RuntimeError("a fault")], ids=repr)
async def test_a_call_without_a_process_leaves_nothing_and_may_be_announced_again(site, error):
    site.fails = error
    answer = await site.announce(a_call())
    assert answer.status_code == 503 and sentence(answer)
    assert site.admission.running == 0
    site.fails = None
    assert (await site.announce(a_call())).json() == {"status": "taken"}


async def test_without_a_key_to_daily_that_is_told(tmp_path: Path):
    async with phone_site(tmp_path, DAILY_API_KEY=None) as site:
        answer = await site.announce(a_call())
        assert answer.status_code == 503 and "DAILY_API_KEY" in sentence(answer)


# --- who calls too often ------------------------------------------------------------------------


async def test_one_number_has_so_many_lines_and_others_have_theirs(site: Site):
    for number in (1, 2, 3):
        await site.announce(a_call(number, From="+15550201111"))
    await site.announce(a_call(4))
    assert [one["phone"]["call_id"] for one in site.begun] == ["call-1", "call-2", "call-4"]
    await until(lambda: site.told)
    assert [one["phone"]["call_id"] for one in site.told] == ["call-3"]


async def test_numbers_that_are_withheld_are_not_one_number(site: Site):
    for number in (1, 2, 3):
        answer = await site.announce(a_call(number, From="anonymous"))
        assert answer.json() == {"status": "taken"}
