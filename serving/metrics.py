"""What the server counts, for Prometheus; each metric is explained in `docs/operations.md`.

No label takes its values from a client or, without a bound, from a session's process: each value
would be a time series that is kept for good.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from pipeline.link import LinkState
from pipeline.network_stats import NetworkStats
from serving.session_report import SessionReport, read_report

_ANSWERS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
_STARTS_S = (0.1, 0.2, 0.3, 0.4, 0.6, 0.9, 1.5, 3, 6, 10)
_REFUSALS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_LAGS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)

_RTTS_S = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2)
_LOSSES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)

_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_VALUES = 24
"""How many values a label may have that are not known beforehand; what comes later is `other`."""

SOURCES = ("camera", "screenVideo")
_LINKS = tuple(str(state) for state in LinkState)


class _Values:
    """Keeps a label from having ever more values."""

    def __init__(self, *known: str, most: int = MAX_VALUES):
        self._known = set(known)
        self._most = max(most, len(known))

    def of(self, value: object) -> str:
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            return "other"
        if value not in self._known:
            if len(self._known) >= self._most:
                return "other"
            self._known.add(value)
        return value


@dataclass
class _Held:
    """A session as it is now."""

    transport: str
    began_s: float
    has_sound: bool = False
    state: str = "starting"
    link: str = "connecting"
    memory_bytes: int = 0
    is_cost_unknown: bool = False


class Metrics:
    """Counts what the server and its sessions do.

    Sessions are told apart by an identifier that no label shows. What is told of one that has not
    started, or has ended, is left out.

    Args:
        clock: Seconds, the same in all processes.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._sessions: dict[str, _Held] = {}
        self._transports = _Values(most=8)
        self._states = _Values("starting", "running", "ending", most=8)
        self._reasons = {"refused": _Values(), "ended": _Values()}
        self._models = _Values()
        self._kinds = _Values()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"salon_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"salon_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"salon_{name}", text, labels, buckets=buckets, registry=registry)

        self._held = gauge("sessions", "Sessions now.", "transport", "state")
        self._started = counter("session_starts", "Sessions that were begun.", "transport")
        self._ended = counter("session_ends", "Sessions that ended.", "reason")
        self._refused = counter("refusals", "Requests that were refused.", "reason")
        self._refusal_s = histogram("refusal_seconds", "Time to a refusal.", _REFUSALS_S)
        self._start_s = histogram(
            "start_seconds", "From the offer to the first media at the model.", _STARTS_S
        )
        self._spares = gauge("spare_processes", "Processes that wait for a session.")
        self._memory = gauge("sessions_memory_bytes", "Memory of all sessions together.")

        self._answer_s = histogram(
            "answer_latency_seconds", "From the end of a question to the first sound.", _ANSWERS_S
        )
        self._interruptions = counter("interruptions", "Answers that were cut short.")
        self._links = gauge("links", "Links to the model now.", "state")
        self._link_changes = counter("link_changes", "States that links entered.", "state")
        self._lost_audio = counter("lost_audio_seconds", "Sound that never reached the model.")
        self._lost_messages = counter("lost_messages", "Messages that never reached the model.")
        self._errors = counter("session_errors", "Errors in sessions.")
        self._lag = histogram(
            "loop_lag_seconds", "By how much a tick of an event loop was late.", _LAGS_S, "process"
        )
        self._rtt = histogram(
            "network_rtt_seconds", "Round trips between pages and sessions.", _RTTS_S, "path"
        )
        self._loss = histogram(
            "network_loss_ratio", "Packets that pages and sessions lose.", _LOSSES, "path"
        )
        self._seen = counter("video_frames_seen", "Video frames that came.", "source")
        self._sent = counter("video_frames_sent", "Video frames that the model got.", "source")
        self._pictures = counter("pictures_sent", "Pictures that the model got.")
        self._tokens = counter("tokens", "Tokens as the model counted them.", "model", "modality")
        self._cost = counter("cost_dollars", "Cost as far as prices are known.")
        self._unknown = counter("cost_unknown_sessions", "Sessions with a cost nobody knows.")
        self._bad = counter("reports_refused", "Reports of sessions that made no sense.")
        for state in _LINKS:
            self._links.labels(state)
        for process in ("server", "session"):
            self._lag.labels(process)

    # --- what the server tells ------------------------------------------------------------------

    def started(self, session_id: str, *, transport: str):
        """A session's offer has come; its process may still have to load."""
        transport = self._transports.of(transport)
        self._sessions[session_id] = _Held(transport, self._clock())
        self._started.labels(transport).inc()

    def session_is(self, session_id: str, state: str):
        """A session is `starting`, `running` or `ending` now."""
        if held := self._sessions.get(session_id):
            held.state = self._states.of(state)

    def refused(self, reason: str, seconds: float):
        """A request was refused: why, in one word, and how long that took."""
        self._refused.labels(self._reasons["refused"].of(reason)).inc()
        self._refusal_s.observe(seconds)

    def ended(self, session_id: str, reason: str):
        """A session has ended: why, in one word."""
        if self._sessions.pop(session_id, None):
            self._ended.labels(self._reasons["ended"].of(reason)).inc()

    def uses_memory(self, session_id: str, private_bytes: int):
        """A session's process has so much memory of its own now."""
        if held := self._sessions.get(session_id):
            held.memory_bytes = private_bytes

    def spares(self, count: int):
        """So many processes wait for a session."""
        self._spares.set(count)

    def lagged(self, lags_s: list[float]):
        """By so much the ticks of the server's own event loop were late."""
        for lag_s in lags_s:
            self._lag.labels("server").observe(lag_s)

    # --- what sessions tell ---------------------------------------------------------------------

    def took(self, session_id: str, said: object):
        """A session reported; what makes no sense is counted and left out."""
        held = self._sessions.get(session_id)
        if held is None:
            return
        report = read_report(said)
        if report is None:
            self._bad.inc()
            return
        if report.link:
            held.link = report.link if report.link in _LINKS else "other"
        if report.first_sound_at_s and not held.has_sound:
            held.has_sound = True
            self._start_s.observe(max(report.first_sound_at_s - held.began_s, 0.0))
        if report.cost_unknown and not held.is_cost_unknown:
            held.is_cost_unknown = True
            self._unknown.inc()
        self._add(report)

    def _add(self, report: SessionReport):
        for counter, by in (
            (self._interruptions, report.interruptions),
            (self._lost_audio, report.lost_audio_s),
            (self._lost_messages, report.lost_messages),
            (self._errors, report.errors),
            (self._pictures, report.pictures),
            (self._cost, report.cost_usd),
        ):
            counter.inc(by)
        for latency_s in report.answers_s:
            self._answer_s.observe(latency_s)
        for lag_s in report.loop_lag_s:
            self._lag.labels("session").observe(lag_s)
        for state, count in report.links.items():
            self._link_changes.labels(state if state in _LINKS else "other").inc(count)
        for source, frames in report.frames.items():
            source = source if source in SOURCES else "other"
            self._seen.labels(source).inc(frames.seen)
            self._sent.labels(source).inc(frames.sent)
        if report.network:
            self._add_network(report.network)
        model = self._models.of(report.model)
        for kind, count in report.tokens.items():
            self._tokens.labels(model, self._kinds.of(kind)).inc(count)

    def _add_network(self, network: NetworkStats):
        path = network.path or "unknown"
        if network.rtt_ms is not None:
            self._rtt.labels(path).observe(network.rtt_ms / 1000)
        if network.loss is not None:
            self._loss.labels(path).observe(network.loss)

    # --- what Prometheus is told ----------------------------------------------------------------

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """All metrics, in the format that the request's `Accept` header asks for.

        Returns:
            The content type, and the text.
        """
        self._set_gauges()
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self.registry)

    def _set_gauges(self):
        sessions = self._sessions.values()
        self._held.clear()
        for held in sessions:
            self._held.labels(held.transport, held.state).inc()
        for state in (*_LINKS, "other"):
            self._links.labels(state).set(sum(held.link == state for held in sessions))
        self._memory.set(sum(held.memory_bytes for held in sessions))
