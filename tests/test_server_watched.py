"""A real server and a real call, watched from outside: metrics, traces, and the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from tests.support.caller import Caller
from tests.support.collector import Collected, attributes, collector
from tests.support.server import Server, running_server

KEY = "AIzaPlantedKeyOfTheModel"


@dataclass
class Watched:
    """One call, and what could be seen of it."""

    session: dict[str, Any] = field(default_factory=dict)
    during: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    turns: list[dict[str, Any]] = field(default_factory=list)
    traces: Collected | None = None
    log: str = ""


async def counted(server: Server) -> dict[str, float]:
    """All samples, by name and labels as they are written."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert KEY not in answer.text
    return {
        " ".join(
            [sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def until_counted(server: Server, sample: str, *, within_s: float = 10.0) -> dict[str, float]:
    """Ask until a sample is there and not 0."""
    async with asyncio.timeout(within_s):
        while not (counts := await counted(server)).get(sample):
            await asyncio.sleep(0.1)
    return counts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory) -> AsyncIterator[Watched]:
    seen = Watched()
    with (
        collector() as seen.traces,
        running_server(
            tmp_path_factory.mktemp("watched"),
            "--offline",
            GOOGLE_API_KEY=KEY,
            OTEL_EXPORTER_OTLP_ENDPOINT=seen.traces.url,
            SALON_LOG_FORMAT="json",
            SALON_LOG_LEVEL="INFO",
            SALON_MAX_SESSIONS="1",
        ) as server,
    ):
        async with Caller(server.url) as caller:
            seen.session = caller.session
            await caller.bot_said("understudy")
            caller.types("the weather is nice")
            await caller.bot_said("weather")
            async with httpx.AsyncClient(base_url=server.url) as http:
                refused = await http.post("/start?key=planted", json={"transport": "webrtc"})
            assert refused.status_code == 503
            await caller.ear.hears_silence(seconds=1)
            seen.during = await until_counted(server, "salon_answer_latency_seconds_count")
        seen.after = await until_counted(server, "salon_session_ends_total reason=finished")
        seen.log = server.log()
        seen.turns = server.turns(seen.session["sessionId"])
    yield seen


def test_a_call_is_counted_while_it_goes_on_and_when_it_is_over(watched):
    during, after = watched.during, watched.after
    assert during["salon_sessions state=running transport=webrtc"] == 1
    assert during["salon_links state=ready"] == 1
    assert during["salon_start_seconds_count"] == 1
    assert 0 < during["salon_start_seconds_sum"] < 10
    assert 0 < during["salon_answer_latency_seconds_sum"] < 10
    assert during["salon_loop_lag_seconds_count process=session"] > 20
    assert during["salon_loop_lag_seconds_count process=server"] > 20
    assert sum(v for name, v in during.items() if name.startswith("salon_tokens_total")) > 0
    assert during["salon_reports_refused_total"] == 0
    assert "salon_sessions state=running transport=webrtc" not in after
    assert after["salon_links state=ready"] == 0


def test_what_comes_last_counts_too(watched):
    answers = [turn for turn in watched.turns if turn["latency_ms"] is not None]
    assert watched.after["salon_answer_latency_seconds_count"] == len(answers)
    tokens = sum(turn["tokens"]["total_tokens"] for turn in watched.turns if turn["tokens"])
    counted = sum(v for name, v in watched.after.items() if name.startswith("salon_tokens_total"))
    assert counted == tokens


def test_who_is_refused_is_counted_with_the_reason_and_the_time(watched):
    assert watched.during["salon_refusals_total reason=full"] == 1
    assert watched.during["salon_refusal_seconds_count"] == 1


def test_the_calls_trace_is_that_of_its_session(watched):
    (conversation,) = watched.traces.named("conversation")
    session_id = watched.session["sessionId"].partition(".")[0]
    assert attributes(conversation)["conversation.id"] == session_id
    assert watched.traces.named("llm_response")


def test_each_line_of_the_log_is_json_and_the_sessions_say_whose_they_are(watched):
    signed = watched.session["sessionId"]
    lines = [json.loads(line) for line in watched.log.splitlines() if line.startswith("{")]
    sessions = {line.get("session") for line in lines}
    assert sessions == {None, signed.partition(".")[0]}
    assert {line["where"].partition(":")[0] for line in lines if "session" in line} > {
        "pipeline.session"
    }


def test_no_line_holds_a_key_a_query_or_what_lets_into_a_session(watched):
    for secret in (KEY, "planted", watched.session["sessionId"]):
        assert secret not in watched.log
