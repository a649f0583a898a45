"""What Prometheus is told, and what it must not be told."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipecat.frames.frames import MetricsFrame
from prometheus_client.parser import text_string_to_metric_families

from pipeline.loop_lag import LoopLag
from pipeline.network_stats import NetworkStats
from pipeline.settings import ROOT
from pipeline.usage_metrics import UsageMetricsData
from pipeline.vitals import Vitals
from serving.metrics import MAX_VALUES, Metrics

FULL = {
    "link": "ready",
    "first_sound_at_s": 100.4,
    "links": {"ready": 2, "resuming": 1},
    "answers_s": [0.24, 1.7],
    "interruptions": 1,
    "frames": {"camera": {"seen": 30, "sent": 2}},
    "pictures": 1,
    "tokens": {"audio_in": 100, "audio_out": 40},
    "model": "gemini-3.8-live",
    "lost_audio_s": 0.5,
    "lost_messages": 1,
    "errors": 1,
    "cost_usd": 0.02,
    "cost_unknown": True,
    "network": {"rtt_ms": 45.0, "loss": 0.01, "jitter_ms": 3.0, "path": "udp"},
    "loop_lag_s": [0.001, 0.3],
    "loop_lag_max_s": 0.3,
}

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=8),
    lambda odd: st.lists(odd, max_size=4) | st.dictionaries(st.text(max_size=12), odd, max_size=4),
    max_leaves=12,
)
REPORTS = ODD | st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, ODD))


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics(clock=lambda: 100.0)
    metrics.started("one", transport="webrtc")
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    _, text = metrics.render()
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def test_sessions_are_shown_as_they_are_now(metrics):
    metrics.started("two", transport="daily")
    metrics.session_is("one", "running")
    assert value(metrics, "salon_sessions", transport="webrtc", state="running") == 1
    assert value(metrics, "salon_sessions", transport="daily", state="starting") == 1

    metrics.ended("one", "hung_up")
    metrics.ended("one", "hung_up")
    assert value(metrics, "salon_sessions", transport="webrtc", state="running") is None
    assert value(metrics, "salon_session_ends_total", reason="hung_up") == 1


def test_a_refusal_is_counted_with_its_reason_and_its_time(metrics):
    metrics.refused("full", 0.004)
    assert value(metrics, "salon_refusals_total", reason="full") == 1
    assert value(metrics, "salon_refusal_seconds_bucket", le="0.005") == 1
    assert value(metrics, "salon_refusal_seconds_bucket", le="0.0025") == 0


def test_reports_of_a_session_add_up(metrics):
    metrics.took("one", FULL)
    metrics.took("one", FULL)
    assert value(metrics, "salon_answer_latency_seconds_count") == 4
    assert value(metrics, "salon_answer_latency_seconds_bucket", le="0.3") == 2
    assert value(metrics, "salon_video_frames_seen_total", source="camera") == 60
    assert value(metrics, "salon_cost_dollars_total") == pytest.approx(0.04)
    assert value(metrics, "salon_loop_lag_seconds_count", process="session") == 4
    labels = {"model": "gemini-3.8-live", "modality": "audio_in"}
    assert value(metrics, "salon_tokens_total", **labels) == 200


def test_a_start_is_measured_once_from_the_offer_to_the_first_sound(metrics):
    metrics.took("one", {"link": "ready"})
    metrics.took("one", FULL)
    metrics.took("one", FULL)
    assert value(metrics, "salon_start_seconds_count") == 1
    assert value(metrics, "salon_start_seconds_sum") == pytest.approx(0.4)


def test_a_session_whose_cost_nobody_knows_is_counted_once(metrics):
    metrics.took("one", FULL)
    metrics.took("one", FULL)
    assert value(metrics, "salon_cost_unknown_sessions_total") == 1


def test_the_line_of_a_page_is_counted_by_how_its_packets_travel(metrics):
    metrics.took("one", FULL)
    metrics.took("one", {"network": {"rtt_ms": 300.0, "path": "relay-tcp"}})
    metrics.took("one", {"network": {"loss": 0.5}})
    assert value(metrics, "salon_network_rtt_seconds_sum", path="udp") == 0.045
    assert value(metrics, "salon_network_loss_ratio_sum", path="udp") == 0.01
    assert value(metrics, "salon_network_rtt_seconds_sum", path="relay-tcp") == 0.3
    assert value(metrics, "salon_network_loss_ratio_sum", path="relay-tcp") is None
    assert value(metrics, "salon_network_loss_ratio_sum", path="unknown") == 0.5


def test_links_are_counted_by_the_state_that_they_are_in(metrics):
    metrics.started("two", transport="webrtc")
    metrics.took("one", {"link": "degraded"})
    assert value(metrics, "salon_links", state="degraded") == 1
    assert value(metrics, "salon_links", state="connecting") == 1
    metrics.ended("one", "hung_up")
    assert value(metrics, "salon_links", state="degraded") == 0


def test_what_comes_of_a_session_that_is_not_known_is_left_out(metrics):
    metrics.took("stranger", FULL)
    assert value(metrics, "salon_answer_latency_seconds_count") == 0


def test_what_a_session_reports_is_understood(metrics):
    """The names on both sides are the same, and none is left out unseen."""
    vitals, lag = Vitals(), LoopLag()
    data = UsageMetricsData(
        processor="p", model="models/m", tokens={"audio_in": 3}, cost_so_far_usd=0.5
    )
    vitals.saw(MetricsFrame(data=[data]))
    vitals.line_is(NetworkStats(rtt_ms=20, path="udp"))
    lag.ticked(0.03)
    metrics.took("one", {**vitals.report(), **lag.report()})
    assert value(metrics, "salon_cost_dollars_total") == 0.5
    assert value(metrics, "salon_loop_lag_seconds_bucket", process="session", le="0.05") == 1
    assert value(metrics, "salon_network_rtt_seconds_count", path="udp") == 1
    assert value(metrics, "salon_reports_refused_total") == 0


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "ready",
        {"answers_s": [float("nan")]},
        {"answers_s": [0.1] * 100_000},
        {"pictures": -1},
        {"pictures": 10**400},
        {"pictures": True},
        {"tokens": {str(number): 1 for number in range(1000)}},
        {"cost_usd": "much"},
        {"frames": {"camera": 3}},
        {"network": {"rtt_ms": 20, "path": "pigeon"}},
    ],
    ids=lambda odd: str(odd)[:40],
)
def test_a_report_that_makes_no_sense_counts_as_that_and_as_nothing_else(metrics, odd):
    before = samples(metrics)
    metrics.took("one", odd)
    after = samples(metrics)
    assert after.pop(("salon_reports_refused_total", frozenset())) == 1
    changed = {key for key in after if after[key] != before.get(key)}
    assert all(name.startswith("process_") for name, _ in changed)


@settings(max_examples=150, deadline=None)
@given(reports=st.lists(REPORTS, max_size=4))
def test_no_report_can_hurt_the_server(reports):
    metrics = Metrics()
    metrics.started("one", transport="webrtc")
    for report in reports:
        metrics.took("one", report)
    assert all(number == number for number in samples(metrics).values())  # none is NaN


def test_a_session_can_not_make_up_labels_without_end(metrics):
    for number in range(500):
        metrics.took("one", {"model": f"model-{number}", "tokens": {f"kind-{number}": 1}})
        metrics.took("one", {"link": f"state-{number}", "links": {f"state-{number}": 1}})
        metrics.took("one", {"frames": {f"source-{number}": {"seen": 1, "sent": 1}}})
        metrics.refused(f"reason-{number}", 0.001)
    metrics.took("one", {"model": 'forged"} 1\nup 1', "tokens": {"audio_in": 1}})
    _, text = metrics.render()
    lines = text.decode().splitlines()
    assert sum(line.startswith("salon_tokens_total") for line in lines) <= MAX_VALUES + 2
    assert sum(line.startswith("salon_refusals_total") for line in lines) <= MAX_VALUES + 1
    assert sum(line.startswith("salon_link_changes_total") for line in lines) == 1
    assert sum(line.startswith("salon_video_frames_seen_total") for line in lines) == 1
    assert value(metrics, "salon_links", state="other") == 1
    assert b"forged" not in text


def test_openmetrics_is_spoken_with_those_who_ask_for_it(metrics):
    content_type, text = metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
    assert metrics.render()[0].startswith("text/plain")


def test_every_metric_is_in_the_documentation_with_its_labels_and_no_other(metrics):
    metrics.took("one", FULL)
    metrics.refused("full", 0.001)
    metrics.lagged([0.001])
    metrics.spares(2)
    metrics.uses_memory("one", 2**20)
    metrics.started("two", transport="daily")
    metrics.ended("two", "hung_up")
    metrics.render()
    registered = {}
    for family in metrics.registry.collect():
        if family.name.startswith("salon_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            registered[name] = (family.type, labels)

    rows = re.findall(
        r"^\| `(salon_\w+)` \| (\w+) \|([^|]*)\|",
        (ROOT / "docs" / "operations.md").read_text(),
        re.MULTILINE,
    )
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == registered
