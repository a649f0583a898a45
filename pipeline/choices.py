"""What was chosen before a call: who answers, in which voice and language, aloud or in writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.model_offers import VOICES, languages
from pipeline.persona import Persona, load_persona
from pipeline.settings import Settings


class Answers(StrEnum):
    """How the bot answers."""

    VOICE = "voice"
    TEXT = "text"
    """Nothing is heard of it; its words come as the transcript."""


class ChoiceError(Exception):
    """What was chosen can't be had; the message is one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a session is to be like.

    Parameters:
        persona: Who answers, with the voice that was chosen.
        answers: How.
        language: A BCP-47 code.
    """

    persona: Persona
    answers: Answers = Answers.VOICE
    language: str


def read_choices(body: Mapping[str, Any], settings: Settings) -> Choices:
    """Read the `body` of `/start`; what is not chosen, or null, is as the server has it.

    Raises:
        ChoiceError: With one sentence: what, why, and what there is instead.
        PersonaError: When there is no such persona, or its file can't be used.
    """
    name = body.get("persona")
    persona = load_persona(settings.persona if name is None else str(name))
    voice = _one_of(body, "voice", sorted({*VOICES, persona.voice}), persona.voice)
    return Choices(
        persona=persona.model_copy(update={"voice": voice}),
        answers=Answers(_one_of(body, "answers", list(Answers), Answers.VOICE)),
        language=_one_of(body, "language", languages(settings.language), settings.language),
    )


def _one_of(body: Mapping[str, Any], name: str, offered: Sequence[str], default: str) -> str:
    chosen = body.get(name)
    if chosen is None:
        return default
    if chosen not in offered:
        raise ChoiceError(f"body.{name} must be one of: {', '.join(offered)}.")
    return chosen
