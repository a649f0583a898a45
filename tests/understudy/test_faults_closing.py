"""The moments at which faults close a connection or refuse it, on the fake clock."""

import contextlib

import pytest
from websockets.exceptions import InvalidStatus

from tests.understudy.stage import CALL, Stage, respond
from tests.understudy.support import silence, speech
from tests.understudy.test_conformance import session
from understudy import ScenarioError, Understudy
from understudy.faults import FAULTS
from understudy.faults.base import Ending
from understudy.routes import AuthMode, LiveRoute, auth_modes, route
from understudy.rules import read_option


async def test_an_upgrade_that_was_refused_once_is_not_refused_again():
    async with Understudy(faults=["refuse-503:times=once"]) as understudy:
        with contextlib.suppress(InvalidStatus):
            async with session(understudy):
                raise AssertionError("connected")
        async with session(understudy):
            pass


def test_every_close_says_where_it_was_seen():
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


NOT_VALID = (1007, "API key not valid. Please pass a valid API key.")


@pytest.mark.parametrize(
    "fault", ["key-not-valid", "key-not-found", "key-expired", "access-denied", "api-disabled"]
)
def test_refused_instead_of_set_up(fault):
    client = Stage(fault).set_up()
    assert client.closed
    assert not client.sent


def test_search_quota():
    for tool, is_refused in (("codeExecution", False), ("googleSearch", True)):
        client = Stage("search-quota").set_up(tools=[{tool: {}}])
        assert bool(client.closed) is is_refused


LIVE = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"


@pytest.mark.parametrize(
    ("target", "modes"),
    [
        (f"{LIVE}?key=k", {AuthMode.KEY}),
        (LIVE, {AuthMode.NO_KEY}),
        (f"{LIVE}Constrained?access_token=auth_tokens/t", {AuthMode.TOKEN}),
        (f"{LIVE}?access_token=auth_tokens/t", {AuthMode.PLAIN_TOKEN}),
        (f"{LIVE}Constrained?key=k//", {AuthMode.CONSTRAINED_KEY}),
        (f"/{LIVE}?key=k", {AuthMode.KEY, AuthMode.DOUBLE_SLASH}),
    ],
)
def test_auth_mode_refuses_one_way_to_come_in(target, modes):
    place = route(target, {})
    assert isinstance(place, LiveRoute)
    ways = auth_modes(target, place)
    assert ways == modes
    for mode in AuthMode:
        client = Stage(f"auth-mode:refuses={mode}", auth_modes=ways).set_up()
        assert client.closed == (NOT_VALID if mode in modes else None)


def test_auth_mode_refuses_a_token_at_the_plain_endpoint_unless_told_otherwise():
    assert Stage("auth-mode", auth_modes={AuthMode.PLAIN_TOKEN}).set_up().closed == NOT_VALID
    assert Stage("auth-mode", auth_modes={AuthMode.TOKEN}).set_up().closed is None
    with pytest.raises(ScenarioError, match="fault auth-mode: refuses has to be one of key, no-k"):
        read_option("auth-mode:refuses=keys")


def test_a_close_while_the_user_speaks():
    client = Stage("close:at=user-speaking,after_ms=200").set_up()
    client.hear(silence(0.3))
    with contextlib.suppress(AssertionError):
        client.hear(speech())
    assert client.closed
    assert not client.noted("activity_end")
