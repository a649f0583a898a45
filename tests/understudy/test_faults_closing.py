"""Every close: its code and reason as google-genai reports them, and the moment it comes."""

import asyncio
import contextlib

import pytest
from google.genai import errors
from websockets.exceptions import InvalidStatus

from tests.understudy.stage import CALL, Stage, respond
from tests.understudy.support import silence, speech
from tests.understudy.test_conformance import session
from understudy import Understudy
from understudy.faults import FAULTS
from understudy.faults.base import Closing, Ending, Refusal

CLOSINGS = {
    "close:code=4001,reason=So long": "4001 None. So long",
    "close-1011-after-setup": "1011 None. Internal error encountered.",
    "internal": "1011 None. Internal error encountered.",
    "internal-during-tool": "1011 None. Internal error occurred.",
    "unavailable": "1011 None. The service is currently unavailable.",
    "deadline": "1011 None. Deadline expired before operation could complete.",
    "quota": "1011 None. You exceeded your current quota, please check your plan and billing",
    "credits": "1011 None. Your prepayment credits are depleted. Please go to",
    "thread-cancelled": "1011 None. Thread was cancelled when writing StartStep status to channel",
    "aborted": "1008 None. The operation was aborted.",
    "proxy-cap": "1008 None. The operation was aborted",
    "not-implemented": "1008 None. Operation is not implemented, or supported, or enabled.",
    "entity-not-found": "1008 None. Requested entity was not found.",
    "close-after-tool-response": "1008 None. Requested entity was not found.",
    "code-execution-image": "1008 None. application/json isn't a supported MIME type.",
    "clean-close": "1000 None. ",
    "cancelled-1000": "1000 None. The operation was cancelled.",
    "context-exhausted": "1007 None. Request contains an invalid argument.",
    "goaway:left_s=0": "1008 None. The operation was aborted.",
    "goaway-close-code:left_s=0": "1011 None. Internal error encountered.",
}
REFUSED_SETUPS = {
    "key-expired": "1007 None. API key expired. Please renew the API key.",
    "unregistered-caller": "1008 None. Method doesn't allow unregistered callers",
    "api-disabled": "1008 None. Generative Language API has not been used in project",
}
REFUSALS = {"refuse-403": 403, "refuse-429": 429, "refuse-503": 503}


async def test_the_client_sees_every_code_and_reason():
    async with Understudy() as understudy:
        for fault, expected in CLOSINGS.items():
            name, _, parameters = fault.partition(":")
            values = dict(pair.split("=") for pair in parameters.split(",") if pair)
            understudy.inject(name, parameters=values, moment="after-setup")
            with pytest.raises(errors.APIError) as caught:
                async with asyncio.timeout(5), session(understudy) as live:
                    async for _ in live.receive():
                        pass
            assert str(caught.value).startswith(expected), fault
            understudy.clear_faults()


async def test_the_client_sees_every_refused_setup():
    async with Understudy() as understudy:
        for fault, expected in REFUSED_SETUPS.items():
            understudy.inject(fault)
            with pytest.raises(errors.APIError) as caught:
                async with asyncio.timeout(5), session(understudy):
                    raise AssertionError("connected")
            assert str(caught.value).startswith(expected), fault
            understudy.clear_faults()


@pytest.mark.parametrize("fault", REFUSALS)
async def test_the_upgrade_is_refused(fault):
    async with Understudy(faults=[f"{fault}:times=once"]) as understudy:
        with pytest.raises(InvalidStatus) as caught:
            async with session(understudy):
                raise AssertionError("connected")
        assert caught.value.response.status_code == REFUSALS[fault]
        async with session(understudy):
            pass


def test_no_close_is_left_out():
    named = {name.partition(":")[0] for name in (*CLOSINGS, *REFUSED_SETUPS, *REFUSALS)}
    kinds = (Closing, Refusal)
    assert {name for name, fault in FAULTS.items() if issubclass(fault, kinds)} - named == {
        "resume-refused"
    }
    assert all(len(fault.imitates) > 5 for fault in FAULTS.values() if issubclass(fault, Ending))


@pytest.mark.parametrize(
    "fault", ["close", "close-1011-after-setup", "quota", "credits"], ids=lambda name: name
)
def test_closes_after_the_setup(fault):
    client = Stage(fault).set_up()
    assert [*client.messages("setupComplete")] == [{}]
    assert client.closed


@pytest.mark.parametrize(
    "fault",
    ["internal", "unavailable", "thread-cancelled", "aborted", "not-implemented", "clean-close"]
    + ["entity-not-found"],
)
def test_closes_while_it_speaks(fault):
    client = Stage(f"{fault}:after_ms=500").set_up()
    client.type("Good morning, how are you?")
    client.wait(0.5)
    assert not client.closed
    client.wait(10)
    assert client.closed
    assert sum(len(data) for _, data in client.audio()) / 48_000 == pytest.approx(0.6)


@pytest.mark.parametrize("fault", ["internal-during-tool", "code-execution-image"])
def test_closes_while_a_tool_runs(fault):
    client = Stage(CALL, fault).set_up()
    assert client.messages("toolCall")
    assert client.closed
    client = Stage(CALL, f"{fault}:after_ms=300").set_up()
    client.wait(0.2)
    respond(client)
    client.wait(1)
    assert not client.closed


def test_close_after_tool_response():
    client = Stage(CALL, "close-after-tool-response").set_up()
    client.wait(1)
    assert not client.closed
    respond(client)
    assert client.closed == (1008, "Requested entity was not found.")
    assert not client.noted("tool_response")


def test_context_exhausted_closes_when_a_turn_is_over():
    client = Stage("context-exhausted:turn=2").set_up()
    client.type("one")
    client.wait(10)
    assert not client.closed
    client.type("two")
    client.wait(10)
    assert client.closed
    assert client.contents()[-1] == "turnComplete"


NEVER = 0.001
"""Limits pass a thousand times slower, so that only the fault's own close comes."""


@pytest.mark.parametrize(
    ("fault", "seconds"), [("deadline", 3480), ("proxy-cap", 150), ("cancelled-1000", 600)]
)
def test_closes_after_a_time(fault, seconds):
    client = Stage(fault, clock_scale=NEVER).set_up()
    client.wait(seconds + 1)
    assert client.closed_s == 100 + seconds


@pytest.mark.parametrize(("fault", "code"), [("goaway", 1008), ("goaway-close-code", 1011)])
def test_goaway_comes_before_the_close(fault, code):
    client = Stage(fault, clock_scale=NEVER).set_up()
    client.wait(700)
    assert client.messages("goAway") == [{"timeLeft": "50s"}]
    assert [t for t, message in client.sent if "goAway" in message] == [640]
    assert client.closed and client.closed[0] == code
    assert client.closed_s == 690


def test_goaway_without_close():
    client = Stage("goaway-without-close:after_s=5").set_up()
    client.wait(60)
    assert client.messages("goAway") == [{"timeLeft": "0s"}]
    assert not client.closed


def test_first_audio_1007():
    client = Stage("first-audio-1007").set_up()
    client.type("hi")
    assert not client.closed
    client.hear(silence(0.02))
    assert client.closed == (1007, "Request contains an invalid argument.")
    assert not client.noted("audio")


def test_audio_during_tool():
    client = Stage(CALL, "audio-during-tool").set_up()
    client.type("hi")
    assert not client.closed
    client.hear(silence(0.02))
    assert client.closed and client.closed[0] == 1007
    assert "CONTENT_TYPE_AUDIO" in client.closed[1]


def test_reject_input_during_tool():
    client = Stage(CALL, "reject-input-during-tool").set_up()
    respond(client)
    client.type("hi")
    assert not client.closed
    client = Stage(CALL, "reject-input-during-tool").set_up()
    client.type("hi")
    assert client.closed == (1008, "Operation is not implemented, or supported, or enabled.")


def test_interleave_1007():
    content = {"role": "user", "parts": [{"text": "hello"}]}
    patient = Stage("interleave-1007").set_up()
    patient.content(content)
    patient.wait(0.6)
    patient.type("and this")
    assert not patient.closed
    hasty = Stage("interleave-1007").set_up()
    hasty.content(content)
    hasty.wait(0.1)
    hasty.type("and this")
    assert hasty.closed and hasty.closed[0] == 1007


def test_a_close_while_the_user_speaks():
    client = Stage("close:at=user-speaking,after_ms=200").set_up()
    client.hear(silence(0.3))
    with contextlib.suppress(AssertionError):
        client.hear(speech())
    assert client.closed
    assert not client.noted("activity_end")
