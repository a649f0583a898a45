"""Replays: a recorded conversation as a session. What a capture holds is what is played. Pure.

A server message is played as long after the client's matching message as it was recorded. What
matches is the kind of message, in order. A stream of audio or video counts as one message, from
its first piece after any other message, so that it need not be cut as it was.
"""

from __future__ import annotations

import base64
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.acts import Act, Raw, Reset, can_close_with
from understudy.capture import MEDIA, REFERENCE
from understudy.effects import Close, Effect, Note, Result, Send
from understudy.errors import ProtocolError, truncate_reason
from understudy.messages import (
    ActivityEnd,
    ActivityStart,
    AudioStreamEnd,
    ClientContent,
    ClientMessage,
    RealtimeMedia,
    RealtimeText,
    Setup,
    ToolResponse,
)
from understudy.rules import ScenarioError

_STREAMS = frozenset({"audio", "video", "mediaChunks"})
_HASH = re.compile(r"[0-9a-f]{64}")
_NO_CLOSE_FRAME = 1006


@dataclass(slots=True)
class Cue:
    """A client's message and what followed it.

    Attributes:
        kind: Its kind, such as `setup`, `clientContent`, `text`, `audio`, `toolResponse`.
        at_s: When it came.
        lines: What the server did then, each with seconds since the cue.
    """

    kind: str
    at_s: float
    lines: list[tuple[float, Act]] = field(default_factory=list)


def load_recording(path: Path) -> tuple[Cue, ...]:
    """Reads a capture.

    Raises:
        ScenarioError: What is wrong in which line, in one sentence.
        OSError: The file, or a medium it refers to, can't be read.
    """
    cues: list[Cue] = []
    streams: set[str] = set()
    for number, text in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        if not text.strip():
            continue
        where = f"{path.name} line {number}"
        try:
            line = json.loads(text)
            at_s, side = float(line["t"]), line["from"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ScenarioError(f"{where}: a line is JSON with t, from and message") from None
        if side == "client":
            for kind in _kinds(line.get("message")):
                if kind not in streams:
                    cues.append(Cue(kind, at_s))
                streams = streams | {kind} if kind in _STREAMS else set()
        elif not cues:
            raise ScenarioError(f"{where}: a recording begins with the client's setup")
        else:
            cues[-1].lines.append((at_s - cues[-1].at_s, _act(line, where, path.parent)))
    if not cues:
        raise ScenarioError(f"{path.name}: there is nothing recorded in it")
    return tuple(cues)


def _kinds(message: object) -> list[str]:
    """Returns the kinds of a client's message as recorded, in either casing."""
    if not isinstance(message, dict) or not message:
        return []
    name, body = next(iter(message.items()))
    if _camel(name) == "realtimeInput" and isinstance(body, dict):
        return [_camel(key) for key in body]
    return [_camel(name)]


def _camel(name: str) -> str:
    first, *rest = str(name).split("_")
    return first + "".join(word.capitalize() for word in rest)


def _act(line: Mapping[str, Any], where: str, folder: Path) -> Act:
    match line:
        case {"message": dict(message)}:
            return Send(_with_media(message, where, folder))
        case {"frame": str(frame)}:
            try:
                return Raw(base64.b64decode(frame, validate=True))
            except ValueError:
                raise ScenarioError(f"{where}: frame has to be base64") from None
        case {"close": {"code": int(code), **rest}}:
            if code == _NO_CLOSE_FRAME:
                return Reset()
            if can_close_with(code):
                return Close(code, truncate_reason(str(rest.get("reason") or "")))
            raise ScenarioError(f"{where}: no connection can be closed with {code}")
        case _:
            raise ScenarioError(f"{where}: the server's lines have message, frame or close")


def _with_media(value: Any, where: str, folder: Path) -> Any:
    if isinstance(value, list):
        return [_with_media(item, where, folder) for item in value]
    if not isinstance(value, dict):
        return value
    if REFERENCE not in value:
        return {key: _with_media(item, where, folder) for key, item in value.items()}
    name = value[REFERENCE]
    if not isinstance(name, str) or not _HASH.fullmatch(name):
        raise ScenarioError(f"{where}: {REFERENCE} has to be the SHA-256 of a file in {MEDIA}/")
    return base64.b64encode((folder / MEDIA / name).read_bytes()).decode()


class Replay:
    """A session that says what was recorded; it looks like a `Session` to the shell.

    Args:
        cues: The recording.
    """

    def __init__(self, cues: tuple[Cue, ...]) -> None:
        self._cues = cues
        self._next = 0
        self._streams: set[str] = set()
        self._planned: deque[tuple[float, Act]] = deque()

    @property
    def next_due_s(self) -> float | None:
        """When `tick` should be called at the latest; None if nothing is planned."""
        return self._planned[0][0] if self._planned else None

    def receive(self, message: ClientMessage, now_s: float) -> list[Act]:
        """Takes one message of the client and plans what followed it."""
        kind = _kind(message)
        if kind in self._streams:
            return self.tick(now_s)
        self._streams = self._streams | {kind} if kind in _STREAMS else set()
        found = self._find(kind)
        if found is None:
            return [Note("unmatched", {"kind": kind}), *self.tick(now_s)]
        self._next = found + 1
        for offset_s, act in self._cues[found].lines:
            last_s = self._planned[-1][0] if self._planned else now_s
            self._planned.append((max(last_s, now_s + offset_s), act))
        return self.tick(now_s)

    def _find(self, kind: str) -> int | None:
        """Returns the cue that comes next, but for streams that this client does not send."""
        for number in range(self._next, len(self._cues)):
            cue = self._cues[number]
            if cue.kind == kind:
                return number
            if kind in _STREAMS or cue.kind not in _STREAMS:
                return None
        return None

    def tick(self, now_s: float) -> list[Act]:
        """Plays what is due by now."""
        acts = []
        while self._planned and self._planned[0][0] <= now_s:
            acts.append(self._planned.popleft()[1])
        return acts

    def finish(self, ticket: int, result: Result, now_s: float) -> list[Effect]:
        """Takes the result of work; a recording asks for none."""
        return []

    def end(self) -> None:
        """Takes note that the connection is gone: nothing depends on it."""

    def fail(self, error: ProtocolError) -> list[Effect]:
        """Ends the session because what the client sent could not even be parsed."""
        return [Close(error.code, error.reason)]


def _kind(message: ClientMessage) -> str:
    match message:
        case Setup():
            return "setup"
        case ClientContent():
            return "clientContent"
        case RealtimeMedia(name, _):
            return name
        case RealtimeText():
            return "text"
        case ActivityStart():
            return "activityStart"
        case ActivityEnd():
            return "activityEnd"
        case AudioStreamEnd():
            return "audioStreamEnd"
        case ToolResponse():
            return "toolResponse"
        case _:
            return "contextUpdate"
