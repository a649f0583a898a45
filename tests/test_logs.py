"""What the log says, of whom, and what it never says."""

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger

from pipeline.settings import Settings
from serving.log_lines import MAX_CHARS
from serving.logs import log_as, log_to_stderr, plain_id
from serving.redaction import HIDDEN, Redaction, secrets_of

UUID = "0123456789abcdef0123456789abcdef"
SIGNED = f"{UUID}.aSDf1g.Qw3rtY-uiopASDFghjklZXCVbnm"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \| ")
SECRETS = {
    "GOOGLE_API_KEY": "AIzaPlanted0123456789",
    "DAILY_API_KEY": "planted daily key",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=PlantedHeader1,x-other=PlantedHeader2",
    "PIPECAT_ICE_SERVERS": json.dumps(
        [{"urls": "turn:a", "username": "somebody", "credential": "PlantedTurn"}]
    ),
}
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.fixture(autouse=True)
def nothing_stays_set() -> Iterator[None]:
    names = ("", "uvicorn", "uvicorn.error", "uvicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    for one in loggers[1:]:  # as in a new process; a uvicorn that ran here has changed them
        one.handlers[:], one.propagate = [], True
        one.setLevel(logging.NOTSET)
    yield
    for one, handlers, level, propagate in before:
        one.handlers[:], one.level, one.propagate = handlers, level, propagate
    logging.captureWarnings(False)
    logger.configure(extra={})
    logger.remove()
    logger.add(sys.stderr)


def logged(monkeypatch: pytest.MonkeyPatch, act, **given: str) -> str:
    """What is written while something is done, with these settings."""
    to = io.StringIO()
    monkeypatch.setattr(sys, "stderr", to)
    log_to_stderr(Settings.model_validate(given))
    act()
    return to.getvalue()


def as_json(monkeypatch, act, **given: str) -> dict[str, str]:
    (line,) = logged(monkeypatch, act, SALON_LOG_FORMAT="json", **given).splitlines()
    return json.loads(line)


def fail(text: str):
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("It went wrong")


def test_a_line_for_people_says_when_how_bad_whose_where_and_what(monkeypatch):
    log_as(SIGNED)
    line = logged(monkeypatch, lambda: logger.warning("The line is slow"))
    when, level, session, what = line.split(" | ")
    assert LINE.match(f"{when} | ")
    assert (level.strip(), session) == ("WARNING", UUID[:8])
    assert re.fullmatch(r"tests\.test_logs:<lambda>:\d+ - The line is slow\n", what)


def test_a_line_for_programs_says_the_same(monkeypatch):
    log_as(SIGNED)
    line = as_json(monkeypatch, lambda: logger.info("Hello"))
    assert line.keys() == {"time", "level", "message", "session", "where"}
    assert (line["level"], line["message"], line["session"]) == ("INFO", "Hello", UUID)


def test_an_exception_is_text_in_one_line_for_programs(monkeypatch):
    line = as_json(monkeypatch, lambda: fail("first\nsecond"))
    assert line["message"] == "It went wrong"
    assert line["exception"].startswith("Traceback") and "first\nsecond" in line["exception"]


def test_stacks_of_somebody_else_are_shown_as_a_traceback_is(monkeypatch):
    def act():
        logger.bind(stacks="Thread 1:\n  File x\n").warning("It is stuck")

    _, first, second = logged(monkeypatch, act).splitlines()
    assert (first, second) == ("    Thread 1:", "      File x")
    assert as_json(monkeypatch, act)["exception"] == "Thread 1:\n  File x"


def test_libraries_that_log_in_their_own_way_are_in_the_same_log(monkeypatch):
    def speak():
        logging.getLogger("aiortc.sctp").warning("lost %d packets", 3)
        logging.getLogger("uvicorn.error").error("uvicorn %s")
        logging.getLogger("asyncio").log(33, "in between")
        logging.getLogger("broken").warning("%d", "no number")
        logging.getLogger("websockets.client").debug("> x-goog-api-key: planted")

    lines = [
        json.loads(line)
        for line in logged(
            monkeypatch, speak, SALON_LOG_FORMAT="json", SALON_LOG_LEVEL="DEBUG"
        ).splitlines()
    ]
    assert [line["message"] for line in lines] == [
        "lost 3 packets",
        "uvicorn %s",
        "in between",
        "%d",
    ]
    assert lines[0]["where"].startswith("aiortc.sctp:speak:")
    assert [line["level"] for line in lines] == ["WARNING", "ERROR", "Level 33", "WARNING"]


def test_what_somebody_asked_for_is_logged_without_the_query(monkeypatch):
    def serve():
        asked = ("127.0.0.1:1", "GET", "/start?planted", "1.1", 200)
        logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', *asked)

    said = as_json(monkeypatch, serve)["message"]
    assert said == '127.0.0.1:1 - "GET /start HTTP/1.1" 200'


def test_warnings_of_python_are_lines_too(monkeypatch):
    def warn():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old ways", UserWarning, stacklevel=1)

    assert "old ways" in as_json(monkeypatch, warn)["message"]


@pytest.mark.parametrize("level", ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"])
def test_what_is_below_the_level_is_not_logged(monkeypatch, level):
    def speak():
        for one in ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR"):
            logger.log(one, one)

    lines = logged(monkeypatch, speak, SALON_LOG_LEVEL=level).splitlines()
    levels = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"]
    assert len(lines) == len(levels) - levels.index(level)


def test_chatter_is_left_out(monkeypatch):
    act = lambda: logger.warning("Timeout: No video frame received")  # noqa: E731
    assert logged(monkeypatch, act) == ""


def test_a_message_that_is_no_message_is_cut(monkeypatch):
    line = as_json(monkeypatch, lambda: logger.info("x" * (MAX_CHARS + 5)))
    assert line["message"].endswith("xxx ... and 5 characters more")


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, session=ANY_TEXT)
def test_nothing_that_comes_from_outside_can_forge_a_line(text, session):
    forged = f"{text}\r\n2026-01-01T00:00:00.000Z | INFO     | forged{text}"
    with pytest.MonkeyPatch.context() as patch:
        log_as(session + "\n")

        def act():
            logger.info(forged)
            logging.getLogger("uvicorn.access").info("%s", forged)
            fail(forged)

        lines = logged(patch, act).split("\n")
        assert lines.pop() == ""
        assert [bool(LINE.match(line)) for line in lines[:3]] == [True] * 3
        assert all(line.startswith("    ") for line in lines[3:])
        written = "".join(lines)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", written)

        lines = logged(patch, act, SALON_LOG_FORMAT="json").splitlines()
        assert len(lines) == 3
        assert json.loads(lines[0])["message"] == Redaction()(forged)


@settings(max_examples=100, deadline=None)
@given(before=ANY_TEXT, after=ANY_TEXT, style=st.sampled_from(["text", "json"]))
def test_no_secret_that_is_set_is_ever_written(before, after, style):
    planted = ["PlantedTurn", "PlantedHeader1", "PlantedHeader2", "planted daily key"]
    planted.append(SECRETS["GOOGLE_API_KEY"])
    text = before + "|".join(planted) + after
    with pytest.MonkeyPatch.context() as patch:

        def act():
            logger.info(text)
            fail(text)
            logging.getLogger("httpx").warning("sent %s", text)

        written = logged(patch, act, SALON_LOG_FORMAT=style, **SECRETS)
    assert not [secret for secret in planted if secret in written]
    assert HIDDEN in written


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        (f"key AIza{'x' * 35}.", f"key {HIDDEN}."),
        (f"POST /sessions/{SIGNED}/api/offer", f"POST /sessions/{UUID}/api/offer"),
        ('"GET /start?token=planted&a=b HTTP/1.1" 200', f'"GET /start?{HIDDEN} HTTP/1.1" 200'),
        ("wss://host/path?key=planted", f"wss://host/path?{HIDDEN}"),
        ("at https://user:planted@host/", f"at https://{HIDDEN}@host/"),
        ("Authorization: Bearer planted.abc-123", f"Authorization: Bearer {HIDDEN}"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", HIDDEN),
    ],
)
def test_what_looks_like_a_secret_is_not_written(text, instead):
    assert Redaction()(text) == instead


@pytest.mark.parametrize(
    "text",
    [
        "Is it so? Yes, a = b.",
        "1.5.2026",
        "user@example.com",
        "a basic understanding",
        f"{UUID}.wav",
    ],
)
def test_what_does_not_is(text):
    assert Redaction()(text) == text


def test_names_of_headers_and_addresses_of_servers_are_no_secrets():
    given = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=PlantedHeader1",
        "PIPECAT_ICE_SERVERS": "stun:stun.example.com:3478",
    }
    redact = Redaction(secrets_of(Settings.model_validate(given)))
    assert redact("stun.example.com wants authorization") == "stun.example.com wants authorization"


@pytest.mark.parametrize(
    ("given", "plain"), [(SIGNED, UUID), (UUID, UUID), ("a/b\nc.d.e", "a_b_c"), ("", "")]
)
def test_only_the_plain_part_of_an_identifier_is_logged(given, plain):
    assert plain_id(given) == plain
