"""How a session is doing, for the server that watches it: a small report with each beat.

Everything is counted where it is known already, frame by frame that is no sound; a report takes the
counts away with it, so that the next one holds only what is new.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import ErrorFrame, Frame, MetricsFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed

from journal.turns import Turn
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frames import ModelSawFrame
from pipeline.link import LinkState
from pipeline.link_metrics import LinkMetricsData
from pipeline.network_stats import NetworkStats
from pipeline.usage_metrics import UsageMetricsData

MAX_ANSWERS = 64
"""How many latencies one report holds; of more, the latest count."""


class Vitals(BaseObserver):
    """Counts what happens in a session.

    It looks at frames when they are first pushed, and is told of turns by the turn log, whose
    latency is the only one: from the end of what was said or typed to the bot's first sound.

    Args:
        first_sound_at_s: When the first sound went to the model (`time.monotonic`); None before.
    """

    def __init__(self, *, first_sound_at_s: Callable[[], float | None] = lambda: None):
        super().__init__(observe_every_push=False)
        self._first_sound_at_s = first_sound_at_s
        self._link = LinkState.CONNECTING
        self._model: str | None = None
        self._is_cost_known = True
        self._cost_usd = self._reported_usd = 0.0
        self._forget()

    def _forget(self):
        self._counts: Counter[str] = Counter()
        self._links: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._answers_s: deque[float] = deque(maxlen=MAX_ANSWERS)
        self._lost_audio_s = 0.0
        self._network: NetworkStats | None = None
        self._reported_usd = self._cost_usd

    def report(self) -> dict[str, Any]:
        """What is new since the last report, and what is so now; ready for JSON.

        `link` is always there, and `first_sound_at_s` once there was one. The rest only when it has something to say: `links` (how often
        which state was entered), `answers_s`, `interruptions`, `frames` (by source, how many were
        `seen` and `sent` to the model), `pictures`, `tokens` (by kind) and their `model`,
        `lost_audio_s`, `lost_messages`, `errors`, `network` (what the page said last of the line
        between it and the session), `cost_usd`, and `cost_unknown` once something
        was used whose price nobody knows.
        """
        sources = self._seen.keys() | self._sent.keys()
        report: dict[str, Any] = {
            "link": str(self._link),
            "first_sound_at_s": self._first_sound_at_s(),
            "links": dict(self._links),
            "answers_s": [round(latency_s, 3) for latency_s in self._answers_s],
            "frames": {
                source: {"seen": self._seen[source], "sent": self._sent[source]}
                for source in sorted(sources)
            },
            "tokens": dict(self._tokens),
            "model": self._model if self._tokens else None,
            "lost_audio_s": round(self._lost_audio_s, 3),
            "cost_usd": round(self._cost_usd - self._reported_usd, 9),
            "cost_unknown": not self._is_cost_known,
            "network": self._network and self._network.model_dump(),
            **self._counts,
        }
        self._forget()
        return {name: value for name, value in report.items() if value}

    # --- what is counted ------------------------------------------------------------------------

    async def on_push_frame(self, data: FramePushed):
        """Count what the frame tells."""
        self.saw(data.frame)

    def saw(self, frame: Frame):
        """Count what the frame tells."""
        match frame:
            case MetricsFrame():
                for data in frame.data:
                    self._measured(data)
            case ModelSawFrame(source="upload"):
                self._counts["pictures"] += 1
            case ModelSawFrame():
                self._sent[frame.source] += 1
            case ErrorFrame():
                self._counts["errors"] += 1

    def turn_ended(self, turn: Turn):
        """Count a turn that is complete."""
        if turn.latency_ms is not None:
            self._answers_s.append(turn.latency_ms / 1000)
        if turn.interrupted:
            self._counts["interruptions"] += 1

    def line_is(self, stats: NetworkStats):
        """Take how the line between the page and the session is."""
        self._network = stats

    def _costs(self, so_far_usd: float | None):
        if so_far_usd is None:
            self._is_cost_known = False
        else:
            self._cost_usd = max(so_far_usd, self._cost_usd)

    def _measured(self, data: Any):
        match data:
            case UsageMetricsData():
                self._model = (data.model or "").removeprefix("models/")
                self._tokens.update(data.tokens)
                self._costs(data.cost_so_far_usd)
            case FrameMetricsData():
                self._seen[data.source] += sum(data.shown.values()) + sum(data.left_out.values())
            case LinkMetricsData():
                if data.state is not data.previous_state:
                    self._links[data.state] += 1
                self._link = data.state
                self._lost_audio_s += data.lost_audio_s
                self._counts["lost_messages"] += data.lost_messages
