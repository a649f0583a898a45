"""How the line between a page and its session is, as the page measures it."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from loguru import logger
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.processors.frameworks.rtvi.models import ClientMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MESSAGE = "network-stats"
"""The type (`t`) of the RTVI client-message."""

Path = Literal["udp", "tcp", "relay-udp", "relay-tcp", "websocket"]

_Ms = Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)]


class NetworkStats(BaseModel):
    """The line at one moment; None is what the page does not know.

    Parameters:
        rtt_ms: The round trip.
        loss: Which part of the packets gets lost, from 0 to 1.
        jitter_ms: By how much the time that packets take varies.
        available_bps: What the page's browser believes it can send.
        path: How packets travel.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    rtt_ms: _Ms | None = None
    loss: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    jitter_ms: _Ms | None = None
    available_bps: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None
    path: Path | None = None


class NetworkReports:
    """Takes what the page says of the line; what makes no sense is ignored, and logged once.

    Args:
        rtvi: The way from the page.
        take: Told of each report.
        name: Of the session, for the log.
    """

    def __init__(self, *, rtvi: RTVIProcessor, take: Callable[[NetworkStats], None], name: str):
        self._take = take
        self._name = name
        self._has_logged = False

        @rtvi.event_handler("on_client_message")
        async def on_client_message(rtvi: RTVIProcessor, message: ClientMessage):
            if message.type == MESSAGE:
                self._came(message.data)

    def _came(self, data: Any) -> None:
        try:
            self._take(NetworkStats.model_validate(data))
        except (ValidationError, RecursionError):
            # Neither the value nor the error is logged: both are a stranger's text.
            if not self._has_logged:
                self._has_logged = True
                logger.warning(f"Session {self._name}: what the page says of the line is no use")
