"""Tokens: what a conversation has cost so far, as usageMetadata tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from understudy.profiles.base import AUDIO_TOKENS_PER_S, DEFAULT_FRAME_TOKENS, FRAME_TOKENS

_CHARACTERS_PER_TOKEN = 4
"""Vendor documentation: a token is about four characters of English."""


def text_tokens(text: str) -> int:
    """Returns an estimate of a text's tokens."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def audio_tokens(seconds: float) -> int:
    """Returns the tokens of some audio, in or out."""
    return round(seconds * AUDIO_TOKENS_PER_S)


def frame_tokens(media_resolution: str) -> int:
    """Returns the tokens of one picture at a `MEDIA_RESOLUTION_...`."""
    return FRAME_TOKENS.get(media_resolution, DEFAULT_FRAME_TOKENS)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in the context, by modality; what the model said has become part of it."""

    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        """All tokens."""
        return self.text + self.audio + self.image

    def add(self, *, text: int = 0, audio: int = 0, image: int = 0) -> Usage:
        """Returns the usage with so many more."""
        return replace(
            self, text=self.text + text, audio=self.audio + audio, image=self.image + image
        )

    def plus(self, other: Usage) -> Usage:
        """Returns the sum of both."""
        return self.add(text=other.text, audio=other.audio, image=other.image)

    def metadata(
        self, response: int, *, modality: str = "AUDIO", thoughts: int = 0
    ) -> dict[str, Any]:
        """Returns the `usageMetadata` of a turn.

        Args:
            response: Tokens of the model's answer.
            modality: What they are tokens of.
            thoughts: Tokens of the model's thoughts, which the total leaves out (recorded).
        """
        prompt = {"TEXT": self.text, "AUDIO": self.audio, "IMAGE": self.image}
        total = sum(prompt.values())
        usage: dict[str, Any] = {
            "promptTokenCount": total,
            "responseTokenCount": response,
            "totalTokenCount": total + response,
            "promptTokensDetails": [
                {"modality": modality, "tokenCount": count}
                for modality, count in prompt.items()
                if count
            ],
            "responseTokensDetails": [{"modality": modality, "tokenCount": response}],
        }
        return {**usage, "thoughtsTokenCount": thoughts} if thoughts else usage
