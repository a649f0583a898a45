"""Answers whose tokens are known: what a model plays, and counts, when a conversation is opened."""

import base64
import json
from pathlib import Path
from typing import Any

SPEECH_S = 0.3


def replies(
    folder: Path, *usages: dict[str, Any], first_s: float = 0.2, every_s: float = 3.0
) -> Path:
    """Write a recording for an understudy: a short answer for each usage.

    Args:
        folder: Where it is written.
        *usages: The `usageMetadata` of each answer.
        first_s: When the first one begins.
        every_s: How long after that the next one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sound = base64.b64encode(bytes(round(SPEECH_S * 48_000))).decode()
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": sound}}
    lines: list[tuple[float, str, dict[str, Any]]] = [
        (0, "client", {"setup": {}}),
        (0, "server", {"setupComplete": {}}),
        (0, "client", {"clientContent": {}}),
        (0, "client", {"realtimeInput": {"text": " "}}),
    ]
    for number, usage in enumerate(usages):
        at_s = first_s + number * every_s
        turn = {"modelTurn": {"role": "model", "parts": [part]}}
        said = {**turn, "outputTranscription": {"text": f"Answer {number + 1}."}}
        done = {"serverContent": {"turnComplete": True}, "usageMetadata": usage}
        lines += [
            (at_s, "server", {"serverContent": said}),
            (at_s + 0.1, "server", {"serverContent": {"generationComplete": True}}),
            (at_s + SPEECH_S + 0.1, "server", done),
        ]
    path = folder / "replies.jsonl.replay"
    records = ({"t": t, "from": side, "message": message} for t, side, message in lines)
    path.write_text("\n".join(map(json.dumps, records)))
    return path


def usage(*, text_in: int = 0, audio_out: int = 0) -> dict[str, Any]:
    """What the API says of a turn."""
    return {
        "promptTokenCount": text_in,
        "responseTokenCount": audio_out,
        "totalTokenCount": text_in + audio_out,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": text_in}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": audio_out}],
    }
