"""What a session has cost so far: the tokens that the model counts, and their prices. Pure.

Each turn the API counts the whole context again, and bills it again: what every message says is
added up. (Sums of that kind came within 3 % of a bill; the last or largest one was several times
too low. Reported in the vendor's forum, thread 173248.)
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from google.genai.types import MediaModality, ModalityTokenCount, UsageMetadata

_IN = {
    MediaModality.TEXT: "text_in",
    MediaModality.AUDIO: "audio_in",
    MediaModality.IMAGE: "image_in",
    MediaModality.VIDEO: "image_in",
}
_OUT = {MediaModality.TEXT: "text_out", MediaModality.AUDIO: "audio_out"}
_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ModelPrices:
    """What a model costs, in US dollars for a million tokens; None where that is not known.

    Parameters:
        text_in: For text that the model reads.
        audio_in: For sound that it hears.
        image_in: For pictures and video frames that it sees.
        text_out: For text that it writes, and for its thoughts.
        audio_out: For what it says.
    """

    text_in: float | None = None
    audio_in: float | None = None
    image_in: float | None = None
    text_out: float | None = None
    audio_out: float | None = None

    def by_kind(self) -> dict[str, float | None]:
        """A price for each kind of `Tokens`.

        What the API gives no modality for is taken to be of the dearest: never too low.
        """
        known = asdict(self)
        return {
            **known,
            "other_in": _dearest(self.text_in, self.audio_in, self.image_in),
            "other_out": _dearest(self.text_out, self.audio_out),
            "thoughts": self.text_out,
        }


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens by modality, each counted once; none is negative.

    Parameters:
        text_in: Read by the model: instruction, typed messages, what functions return.
        audio_in: Heard, and what it said itself in earlier turns.
        image_in: Seen, still or moving.
        other_in: Taken in, of a modality that the API does not name: its details leave some out.
        text_out: Written.
        audio_out: Said.
        other_out: Given out, of a modality that the API does not name.
        thoughts: Thought; the API's totals leave them out.
    """

    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    other_in: int = 0
    text_out: int = 0
    audio_out: int = 0
    other_out: int = 0
    thoughts: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(asdict(self).values())

    def __add__(self, more: "Tokens") -> "Tokens":
        """The sum, kind by kind."""
        sums = {f.name: getattr(self, f.name) + getattr(more, f.name) for f in fields(self)}
        return Tokens(**sums)

    def as_record(self) -> dict[str, int]:
        """By kind, for logs and metrics; what there is none of is left out."""
        return {kind: count for kind, count in asdict(self).items() if count}


def tokens_of(usage: UsageMetadata) -> Tokens:
    """Read what one message of the Live API counts."""
    read = _split(_IN, "other_in", usage.prompt_token_count, usage.prompt_tokens_details)
    returned = _split(
        _IN,
        "other_in",
        usage.tool_use_prompt_token_count,
        usage.tool_use_prompt_tokens_details,
    )
    answered = _split(_OUT, "other_out", usage.response_token_count, usage.response_tokens_details)
    thoughts = Tokens(thoughts=max(usage.thoughts_token_count or 0, 0))
    return read + returned + answered + thoughts


def _split(
    kinds: dict[MediaModality, str],
    other: str,
    total: int | None,
    details: Iterable[ModalityTokenCount] | None,
) -> Tokens:
    """Split a total; what no detail covers is of the kind `other`."""
    counts = dict.fromkeys([*kinds.values(), other], 0)
    for detail in details or ():
        kind = kinds.get(detail.modality, other) if detail.modality else other
        counts[kind] += max(detail.token_count or 0, 0)
    counts[other] += max((total or 0) - sum(counts.values()), 0)
    return Tokens(**counts)


class Spending:
    """Adds up what a session takes.

    Args:
        prices: Of the session's model; without any, no cost is known.

    Attributes:
        tokens: All so far.
    """

    def __init__(self, prices: ModelPrices | None = None):
        self.tokens = Tokens()
        self._prices = (prices or ModelPrices()).by_kind()

    def add(self, tokens: Tokens) -> None:
        """Count some more."""
        self.tokens += tokens

    @property
    def unpriced(self) -> list[str]:
        """The kinds that were used and whose price is not known."""
        return [kind for kind in self.tokens.as_record() if self._prices[kind] is None]

    @property
    def at_least_usd(self) -> float:
        """What those cost whose price is known."""
        costs = (n * (self._prices[kind] or 0.0) for kind, n in self.tokens.as_record().items())
        return sum(costs) / _MILLION

    @property
    def cost_usd(self) -> float | None:
        """What all of it costs; None when a price that it takes is not known."""
        return None if self.unpriced else self.at_least_usd


def _dearest(*prices: float | None) -> float | None:
    known = [price for price in prices if price is not None]
    return max(known) if len(known) == len(prices) else None
