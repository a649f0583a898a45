"""What becomes of the link to the model, for the user, the log and the metrics."""

import asyncio
from dataclasses import dataclass
from typing import Any

from loguru import logger
from pipecat.frames.frames import MetricsFrame

from pipeline.link import Link, LinkState
from pipeline.link_metrics import LinkMetricsData
from pipeline.live_settings import LiveSettings
from pipeline.refusals import Refusal, Verdict
from pipeline.waiting import Lost

_SENTENCES = {
    LinkState.CONNECTING: "Connecting to the model.",
    LinkState.READY: "The model is listening.",
    LinkState.DRAINING: "The connection to the model will be renewed.",
    LinkState.RESUMING: "Connecting again.",
    LinkState.RESEEDING: "Connecting again; the model is told what was said before.",
    LinkState.DEGRADED: "The model can't be reached. What you say is kept; trying again.",
}


@dataclass(frozen=True, kw_only=True)
class LinkNews:
    """What became of the link to the model.

    Parameters:
        state: Where it stands.
        text: One sentence for the user.
        is_notice: Whether the sentence says more than the state does.
        verdict: Why the link has failed for good; None when it has not.
    """

    state: LinkState
    text: str
    is_notice: bool = False
    verdict: Verdict | None = None


class LiveNews(LiveSettings):
    """Gemini Live that says what becomes of its link.

    Each change of the link's state goes out as a `MetricsFrame` with a `LinkMetricsData` too.

    Event handlers available:

    - on_link_changed(service, news: LinkNews): The link's state changed. It is waited for, so that
      the user can be told of a failure before the pipeline ends.

    Args:
        link: What decides about it.
        **kwargs: As for `GeminiLiveLLMService`.
    """

    def __init__(self, *, link: Link, **kwargs: Any):
        super().__init__(**kwargs)
        self._link = link
        self._state_since_s = 0.0
        self.link_news = LinkNews(state=LinkState.CONNECTING, text=_SENTENCES[LinkState.CONNECTING])
        self._register_event_handler("on_link_changed", sync=True)

    async def _fail(self, refusal: Refusal):
        state, verdict = LinkState.FAILED, refusal.verdict
        news = LinkNews(state=state, text=refusal.sentence, verdict=verdict)
        await self._tell(news, self._waiting.take_lost())
        await self.push_error(refusal.sentence, force_treat_as_permanent=True)

    async def _tell_link(self):
        state = self._link.state
        news = LinkNews(state=state, text=_SENTENCES[state])
        lost = self._waiting.take_lost() if state is LinkState.READY else Lost()
        if lost:
            logger.warning(f"{self}: lost {lost.audio_s:.1f} s of sound, {lost.items} messages")
            what = [f"{lost.audio_s:.0f} s of what was said"] if lost.audio_s else []
            what += [f"{lost.items} of the messages"] if lost.items else []
            text = f"The model is listening again, but {' and '.join(what)} got lost."
            news = LinkNews(state=state, text=text, is_notice=True)
        if news != self.link_news:
            await self._tell(news, lost)

    async def _notify(self, text: str):
        await self._tell(LinkNews(state=self._link.state, text=text, is_notice=True))

    async def _tell(self, news: LinkNews, lost: Lost | None = None):
        previous, self.link_news = self.link_news.state, news
        if lost or news.state is not previous:
            await self._measure(news.state, previous, lost or Lost())
        await self._call_event_handler("on_link_changed", news)

    async def _measure(self, state: LinkState, previous: LinkState, lost: Lost):
        since_s, self._state_since_s = self._state_since_s, asyncio.get_running_loop().time()
        if self.metrics_enabled:
            change = LinkMetricsData(
                processor=self.name,
                model=str(self._settings.model),
                state=state,
                previous_state=previous,
                previous_s=self._state_since_s - since_s,
                lost_audio_s=lost.audio_s,
                lost_messages=lost.items,
            )
            await self.push_frame(MetricsFrame(data=[change]))
