"""What a new session is told of a long conversation, when the old one can't be resumed.

Pipecat 1.14.0 sends the whole context, as one content turn: an hour of talk, and each picture of it
again. A new session is to be ready in a second, and its context window is to have room for what
follows. So the beginning and the end are told in full and, of what is between them, the first
sentence of each turn, as many as fit.
"""

import re
from collections.abc import Sequence
from typing import Any

from pipecat.adapters.llm.services.gemini_live_adapter import GeminiLiveLLMAdapter
from pipecat.processors.aggregators.llm_context import (
    LLMContextMessage,
    LLMSpecificMessage,
    standard_message_text,
)

MAX_CHARACTERS = 20_000
"""The longest seed, pictures left out: about 5,000 tokens, a twenty-fifth of gemini-3.8-live's
window."""
OPENING_CHARACTERS = 4_000
"""How much of the beginning is told in full: four minutes of talk, at 150 words a minute."""
LATEST_CHARACTERS = 8_000
"""How much of the end is told in full."""
BETWEEN_CHARACTERS = 7_500
"""How much is told of what is between them, in single sentences."""
TURN_CHARACTERS = 2_000
"""A longer turn, such as a pasted text, is cut here."""
SENTENCE_CHARACTERS = 120
MAX_PICTURES = 2
"""The latest pictures that are shown again; of others only what was said about them is told."""

_SENTENCE = re.compile(r".+?(?:[.!?…](?=\s|$)|[。！？\n]|$)", re.DOTALL)
_PICTURE = {"type": "text", "text": "(A picture was shown.)"}
_SHORTENED = (
    "(The conversation is shortened here. What was said next, the first sentence of each turn{but}:\n"
    "{turns}\nWhat follows is told in full again.)"
)


def recap(messages: Sequence[LLMContextMessage]) -> list[LLMContextMessage]:
    """Shorten a conversation so that a new session can be told of it. Pure.

    Args:
        messages: The context's, without function calls: these are text by now.

    Returns:
        The messages, of at most `MAX_CHARACTERS` and with at most `MAX_PICTURES`; the same ones if
        there are no more in them.
    """
    told = _with_latest_pictures(messages)
    if sum(map(_size, told)) <= MAX_CHARACTERS:
        return told
    told = [message for message in told if not isinstance(message, LLMSpecificMessage)]
    told = [_cut(message) for message in told]
    if sum(map(_size, told)) <= MAX_CHARACTERS:
        return told
    opening = _count(told, OPENING_CHARACTERS)
    latest = len(told) - _count(told[opening:][::-1], LATEST_CHARACTERS)
    return [*told[:opening], _between(told[opening:latest]), *told[latest:]]


class RecapAdapter(GeminiLiveLLMAdapter):
    """Pipecat's adapter, which makes the seed of a new session from the context, with a recap."""

    def _from_universal_context_messages(
        self,
        universal_context_messages: list[LLMContextMessage],
        *,
        system_instruction: str | None = None,
    ):
        told = self._convert_tool_calls_to_text(universal_context_messages)
        return super()._from_universal_context_messages(
            recap(told), system_instruction=system_instruction
        )


def _size(message: LLMContextMessage) -> int:
    return len(standard_message_text(message))


def _count(messages: Sequence[LLMContextMessage], most_characters: int) -> int:
    """How many messages from the first on have so many characters at most."""
    characters = 0
    for number, message in enumerate(messages):
        characters += _size(message)
        if characters > most_characters:
            return number
    return len(messages)


def _cut(message: Any) -> Any:
    text = standard_message_text(message)
    if len(text) <= TURN_CHARACTERS:
        return message
    content = message["content"]
    pictures = [part for part in content if _is_picture(part)] if isinstance(content, list) else []
    cut = {"type": "text", "text": text[: TURN_CHARACTERS - 1] + "…"}
    return {**message, "content": [*pictures, cut]}


def _between(messages: Sequence[LLMContextMessage]) -> LLMContextMessage:
    """One message that tells the latest of these, each in a sentence."""
    lines: list[str] = []
    left = BETWEEN_CHARACTERS
    for message in reversed(messages):
        line = f"{_speaker(message)}: {_first_sentence(standard_message_text(message))}"
        left -= len(line) + 1
        if left < 0:
            break
        lines.append(line)
    missing = len(messages) - len(lines)
    but = f"; {missing} turns before these are left out" if missing else ""
    text = _SHORTENED.format(but=but, turns="\n".join(reversed(lines)))
    return {"role": "user", "content": text}


def _speaker(message: Any) -> str:
    return "You" if message["role"] == "assistant" else "User"


def _first_sentence(text: str) -> str:
    found = _SENTENCE.match(text.strip())
    sentence = found.group().strip() if found else "(nothing)"
    if len(sentence) > SENTENCE_CHARACTERS:
        sentence = sentence[: SENTENCE_CHARACTERS - 1] + "…"
    return sentence


def _with_latest_pictures(messages: Sequence[Any]) -> list[Any]:
    """The messages, each picture but the latest replaced by a word that there was one."""
    told, shown = list(messages), 0
    for place in range(len(told) - 1, -1, -1):
        content = (
            None if isinstance(told[place], LLMSpecificMessage) else told[place].get("content")
        )
        if not isinstance(content, list) or not any(map(_is_picture, content)):
            continue
        shown += 1
        if shown > MAX_PICTURES:
            words = [_PICTURE if _is_picture(part) else part for part in content]
            told[place] = {**told[place], "content": words}
    return told


def _is_picture(part: Any) -> bool:
    return not isinstance(part, dict) or part.get("type") != "text"
