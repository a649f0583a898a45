import socket
import ssl

import pytest
from google.genai.errors import APIError
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from pipeline.refusals import Verdict, explain


def closed(code: int, reason: str) -> Exception:
    """What google-genai raises when the service closes with a code and a reason."""
    try:
        APIError.raise_error(code, reason, None)
    except APIError as error:
        return error
    raise AssertionError("raise_error always raises")


def refused(status: int) -> Exception:
    return InvalidStatus(Response(status, "", Headers(), b""))


# The reasons as the real service gives them, cut at 123 bytes where it does.
PERMANENT = [
    (closed(1007, "API key not valid. Please pass a valid API key."), "GOOGLE_API_KEY"),
    (closed(1007, "API key expired. Please renew the API key."), "GOOGLE_API_KEY"),
    (
        closed(
            1008,
            "models/M is not found for API version v1beta, or is not supported for "
            "bidiGenerateContent. Call Li",
        ),
        "SALON_MODEL",
    ),
    (closed(1007, "gemini-2.0-flash-exp is not supported in the live api."), "SALON_MODEL"),
    (closed(1011, "You exceeded your current quota, please check your plan and"), "quota"),
    (closed(1011, "Your prepayment credits are depleted. Please go to..."), "quota"),
    (
        closed(
            1007,
            "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': "
            "Cannot find field.",
        ),
        "settings",
    ),
    (closed(1007, "Thinking level must be specified for this model."), "settings"),
    (closed(1007, "Request contains an invalid argument."), "settings"),
    (
        closed(1008, "Generative Language API has not been used in project 1 before or it is"),
        "project",
    ),
    (refused(401), "GOOGLE_API_KEY"),
    (refused(403), "GOOGLE_API_KEY"),
    (refused(404), "GOOGLE_GEMINI_BASE_URL"),
    (refused(429), "Try again"),
    (ssl.SSLCertVerificationError("certificate verify failed"), "SSL_CERT_FILE"),
]

PASSING = [
    closed(1011, "Internal error encountered."),
    closed(1011, "The service is currently unavailable."),
    closed(1008, "The operation was aborted."),
    closed(1006, "Abnormal closure."),
    closed(1000, ""),
    ConnectionClosedError(Close(1011, "Internal error occurred."), None),
    ConnectionClosedError(None, None),
    refused(503),
    TimeoutError(),
    ConnectionRefusedError(111, "Connection refused"),
    socket.gaierror(-2, "Name or service not known"),
    KeyError("something new"),
]


@pytest.mark.parametrize(("error", "says"), PERMANENT, ids=lambda value: str(value)[:40])
def test_what_would_fail_again_says_what_to_do(error, says):
    refusal = explain(error, model="models/M")
    assert refusal.verdict in (Verdict.FORBIDDEN, Verdict.UNACCEPTABLE)
    assert says in refusal.sentence


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_tried_again(error):
    assert explain(error, model="models/M").verdict in (Verdict.PASSING, Verdict.UNREACHABLE)


@pytest.mark.parametrize(
    "reason", ["Invalid session handle", "BidiGenerateContent session not found"]
)
def test_a_stale_handle_is_refused_as_asked_and_not_for_ever(reason):
    assert explain(closed(1008, reason), model="models/M").verdict is Verdict.STALE


@pytest.mark.parametrize(
    "error", [refused(503), TimeoutError(), ConnectionRefusedError()], ids=repr
)
def test_who_is_not_heard_has_refused_nothing(error):
    assert explain(error, model="models/M").verdict is Verdict.UNREACHABLE


def test_invalid_argument_in_a_running_session_is_tried_again():
    crossed = closed(1007, "Request contains an invalid argument.")
    assert explain(crossed, model="models/M", in_session=True).verdict is Verdict.PASSING


@pytest.mark.parametrize("error", [e for e, _ in PERMANENT] + PASSING, ids=repr)
def test_every_refusal_is_one_sentence_for_a_person(error):
    sentence = explain(error, model="models/M").sentence
    assert sentence[0].isupper() and sentence.endswith(".")
    assert "\n" not in sentence and "None" not in sentence and "{" not in sentence


def test_a_bad_key_is_told_to_whom_it_belongs():
    error = closed(1007, "API key not valid. Please pass a valid API key.")
    theirs = explain(error, model="models/M", has_own_key=True)
    assert "your API key" in theirs.sentence and "GOOGLE_API_KEY" not in theirs.sentence
    assert theirs.verdict is Verdict.FORBIDDEN
    quota = closed(1011, "You exceeded your current quota, please check your plan and")
    assert "quota" in explain(quota, model="models/M", has_own_key=True).sentence
