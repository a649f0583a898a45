"""What a session's process may say of itself: checked, for it may be broken or taken over.

The names are those of `pipeline.vitals.Vitals.report` and `pipeline.loop_lag.LoopLag.report`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.network_stats import NetworkStats

_Count = Annotated[int, Field(ge=0, le=10**9)]
_Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
_Some = Annotated[list[_Seconds], Field(max_length=256)]


class FrameCounts(BaseModel):
    """What became of the frames of one source.

    Parameters:
        seen: How many came.
        sent: How many the model was sent.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    seen: _Count = 0
    sent: _Count = 0


class SessionReport(BaseModel):
    """One report; what is not told is nothing."""

    model_config = ConfigDict(strict=True, frozen=True)

    link: str | None = Field(default=None, max_length=64)
    first_sound_at_s: float | None = Field(default=None, allow_inf_nan=False)
    links: dict[str, _Count] = Field(default={}, max_length=16)
    answers_s: _Some = []
    interruptions: _Count = 0
    frames: dict[str, FrameCounts] = Field(default={}, max_length=16)
    pictures: _Count = 0
    tokens: dict[str, _Count] = Field(default={}, max_length=32)
    model: str | None = Field(default=None, max_length=256)
    lost_audio_s: _Seconds = 0.0
    lost_messages: _Count = 0
    errors: _Count = 0
    cost_usd: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)
    cost_unknown: bool = False
    network: NetworkStats | None = None
    loop_lag_s: _Some = []
    loop_lag_max_s: _Seconds = 0.0


class CallEnd(BaseModel):
    """How a telephone call ended.

    Parameters:
        reason: As `pipeline.endings.Ended` has it.
        text: The same in a sentence.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    reason: str = Field(pattern=r"^[a-z-]{1,32}$")
    text: str = Field(max_length=400)


def read_end(said: Any) -> CallEnd | None:
    """How the call of a session's process ended, once it says so."""
    if not isinstance(said, Mapping) or "end" not in said:
        return None
    try:
        return CallEnd.model_validate(said["end"])
    except (ValidationError, RecursionError):
        return None


def read_report(said: Any) -> SessionReport | None:
    """Read what came from a session's process; None when it can't be a report."""
    if not isinstance(said, Mapping):
        return None
    try:
        return SessionReport.model_validate(said)
    except (ValidationError, RecursionError):
        return None
