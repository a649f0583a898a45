"""Traces of whole sessions, as a collector gets them, or does not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode

from pipeline.settings import ROOT, Settings
from pipeline.trace_export import DiscreetExporter
from pipeline.tracing import FLUSH_S
from tests.support.collector import Collected, attributes, collector
from tests.support.ports import free_port

KEY = "AIzaPlantedKeyOfTheModel"
INSTRUCTION = "Be brief."
HOLD = "from tests.support.traced_session import main; main()"
HEADER = "PlantedHeaderSecret"
QUESTION = "Is my password swordfish?"
SENTENCE = "I heard you."


def hold_session(folder: Path, *questions: str, **environment: str) -> tuple[dict[str, Any], str]:
    """Hold a session in a process; returns what it says of itself, and its log."""
    clean = {name: value for name, value in os.environ.items() if name not in Settings.variables()}
    done = subprocess.run(
        [sys.executable, "-c", HOLD, str(folder), *questions],
        cwd=ROOT,
        env={**clean, "GOOGLE_API_KEY": KEY, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def traced(tmp_path_factory) -> tuple[Collected, str]:
    with collector() as collected:
        _, log = hold_session(
            tmp_path_factory.mktemp("traced"),
            QUESTION,
            OTEL_EXPORTER_OTLP_ENDPOINT=collected.url,
            OTEL_EXPORTER_OTLP_HEADERS=f"x-key={HEADER}",
            OTEL_SERVICE_NAME="salon-of-this-test",
        )
    return collected, log


def test_a_collector_gets_conversation_turns_and_answers_in_one_tree(traced):
    collected, _ = traced
    (conversation,) = collected.named("conversation")
    assert attributes(conversation)["conversation.id"] == "talk"
    turns = collected.named("turn")
    assert {turn.parent_span_id for turn in turns} == {conversation.span_id}
    assert {attributes(turn)["conversation.id"] for turn in turns} == {"talk"}
    answers = collected.named("llm_response")
    assert answers
    assert {answer.parent_span_id for answer in answers} <= {turn.span_id for turn in turns}
    assert {span.trace_id for span in collected.spans} == {conversation.trace_id}


def test_a_turn_has_its_latency_and_its_tokens(traced):
    collected, _ = traced
    turns = [attributes(turn) for turn in collected.named("turn")]
    (answered,) = [turn for turn in turns if "turn.user_bot_latency_seconds" in turn]
    assert 0 < answered["turn.user_bot_latency_seconds"] < 10
    assert answered["gen_ai.usage.input_tokens"] > 0
    assert answered["gen_ai.usage.audio.output_tokens"] > 0


def test_the_standard_variables_are_heeded(traced):
    collected, _ = traced
    assert collected.resource["service.name"] == "salon-of-this-test"
    assert collected.headers["x-key"] == HEADER


def test_traces_hold_no_secret_no_sound_and_nothing_that_was_said(traced):
    collected, log = traced
    sent = b"".join(collected.bodies)
    for secret in (KEY, HEADER, INSTRUCTION):
        assert secret.encode() not in sent
        assert secret not in log
    assert {"output", "transcript"}.isdisjoint(
        name for span in collected.spans for name in attributes(span)
    )
    values = [value for span in collected.spans for value in attributes(span).values()]
    assert max(len(str(value)) for value in values) < 50
    assert len(sent) < 20_000


def a_span_with_words(*, with_words: bool) -> tuple[Any, list[str]]:
    """As Pipecat makes them; returns the span as it arrives, and the names of all that do."""
    provider = TracerProvider()
    with collector() as collected, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        exporter = DiscreetExporter(with_words=with_words)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("pipecat")
        with tracer.start_as_current_span("llm_response") as span:
            span.set_attribute("output", SENTENCE)
            span.set_attribute("tool.result", SENTENCE)
            span.set_attribute("turn.number", 3)
            span.set_attribute("gen_ai.system_instructions", INSTRUCTION)
            span.set_attribute("settings.api_key", KEY)
            span.record_exception(ValueError(KEY))
            span.set_status(Status(StatusCode.ERROR, KEY))
        tracer.start_span("stt").end()
        provider.shutdown()
    (arrived,) = collected.named("llm_response")
    return arrived, [span.name for span in collected.spans]


def test_what_was_said_stays_here_unless_it_is_wanted_elsewhere():
    span, names = a_span_with_words(with_words=False)
    assert attributes(span) == {"turn.number": 3}
    assert names == ["llm_response"]
    span, names = a_span_with_words(with_words=True)
    assert attributes(span) == {"turn.number": 3, "output": SENTENCE, "tool.result": SENTENCE}
    assert names == ["llm_response", "stt"]


def test_of_an_exception_only_its_type_goes_out():
    span, _ = a_span_with_words(with_words=True)
    (event,) = span.events
    assert attributes(event) == {"exception.type": "ValueError"}
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert KEY.encode() not in span.SerializeToString()


def test_a_collector_that_can_not_be_reached_is_one_line_of_the_log(tmp_path):
    port = free_port()
    url = f"http://user:planted@127.0.0.1:{port}"
    said, log = hold_session(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert log.count(f"Traces don't arrive at http://127.0.0.1:{port};") == 1
    assert "planted" not in log and "opentelemetry" not in log
    assert all(" | talk | " in line for line in log.splitlines())
    assert said["stopped_s"] < FLUSH_S + 2


def test_a_collector_that_does_not_answer_is_not_waited_for(tmp_path):
    with collector(answers=False) as collected:
        said, log = hold_session(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collected.url)
    assert log.count("Traces don't arrive") == 1
    assert said["stopped_s"] < FLUSH_S + 2


def test_without_a_collector_nothing_of_opentelemetry_is_even_loaded(tmp_path):
    said, _ = hold_session(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="")
    assert said["loaded"] == []
    assert said["threads"] == []
