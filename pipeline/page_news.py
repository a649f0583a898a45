"""What a page is told while the conversation goes on: what it takes, what the model sees and cites."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import Any

from loguru import logger
from pipecat.frames.frames import MetricsFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.services.google.frames import LLMSearchResponseFrame
from pipecat.services.google.rtvi import (
    RTVIBotLLMSearchResponseMessage,
    RTVISearchResponseMessageData,
)

from pipeline.frames import ModelSawFrame
from pipeline.limit_watch import SessionUsage
from pipeline.paced import Paced
from pipeline.picture_decoder import PictureError
from pipeline.pictures import PICTURE_THREADS, thumbnail
from pipeline.usage_metrics import UsageMetricsData

USAGE_EVERY_S = 2.0
"""How often a page is told at most what the session has taken."""
LOOKING_EVERY_S = 1.0
"""How often it is shown at most what the model was shown of one source."""

_EVERY_S = {
    "usage": USAGE_EVERY_S,
    "camera": LOOKING_EVERY_S,
    "screenVideo": LOOKING_EVERY_S,
}


class PageNews(BaseObserver):
    """Tells a page `usage` and `looking` as they change, and what the model cites.

    Each frame is looked at once, when it is first pushed. Of what comes faster than it may be told
    the latest counts: nothing queues up here. A caller without a page is told nothing.

    Args:
        rtvi: The way to the page.
        usage: What the session has taken so far.
    """

    def __init__(self, *, rtvi: RTVIProcessor, usage: Callable[[], SessionUsage]):
        super().__init__(observe_every_push=False)
        self._rtvi = rtvi
        self._usage = usage
        self._paced: Paced[ModelSawFrame | None] = Paced(_EVERY_S)
        self._woken = asyncio.Event()
        self._has_page = False

        @rtvi.event_handler("on_client_ready")
        async def on_client_ready(rtvi: RTVIProcessor):
            self._has_page = True
            self._put("usage")

    async def on_push_frame(self, data: FramePushed):
        """Take what the frame means for the page."""
        match data.frame:
            case MetricsFrame() as metrics:
                if any(isinstance(data, UsageMetricsData) for data in metrics.data):
                    self._put("usage")
            case ModelSawFrame(source="camera" | "screenVideo") as saw:
                self._put(saw.source, saw)
            case LLMSearchResponseFrame() as found if self._has_page:
                await self._rtvi.push_transport_message(_citations(found))

    async def run(self) -> None:
        """Tell what is due, from the session's beginning on."""
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            for kind, saw in self._paced.due(loop.time()):
                await self._tell(kind, saw)
            due_s = self._paced.next_due_s()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await self._woken.wait()

    def _put(self, kind: str, saw: ModelSawFrame | None = None) -> None:
        if self._has_page:
            self._paced.put(kind, saw)
            self._woken.set()

    async def _tell(self, kind: str, saw: ModelSawFrame | None) -> None:
        if saw is None:
            await self._rtvi.send_server_message(_usage(self._usage()))
            return
        loop = asyncio.get_running_loop()
        try:
            small = await loop.run_in_executor(PICTURE_THREADS, thumbnail, saw.jpeg)
        except PictureError as error:
            logger.warning(f"The page is not shown what the model sees: {error}")
            return
        seen = {"source": kind, "width": saw.width, "height": saw.height}
        jpeg = base64.b64encode(small).decode()
        await self._rtvi.send_server_message({"type": "looking", **seen, "jpeg": jpeg})


def _usage(used: SessionUsage) -> dict[str, Any]:
    left_s = used.seconds_left
    return {
        "type": "usage",
        "elapsed_s": round(used.elapsed_s, 1),
        "left_s": None if left_s is None else round(left_s, 1),
        "tokens": sum(used.tokens.values()),
        "cost_usd": None if used.cost_usd is None else round(used.cost_usd, 6),
    }


def _citations(found: LLMSearchResponseFrame) -> RTVIBotLLMSearchResponseMessage:
    """As Pipecat's own observer for Google's services says it, which takes no settings in 1.14.0."""
    return RTVIBotLLMSearchResponseMessage(
        data=RTVISearchResponseMessageData(
            search_result=found.search_result,
            rendered_content=found.rendered_content,
            origins=found.origins,
        )
    )
