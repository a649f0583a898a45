"""What comes in between two answers: turns, pictures and frames, for the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from understudy.answers import to_keep
from understudy.effects import Look, Outbox
from understudy.errors import refused
from understudy.facts import Seen
from understudy.knowledge import Knowledge
from understudy.memory import MAX_KEPT_TEXT, Gathered
from understudy.messages import Blob, Turn
from understudy.setup import Settings
from understudy.usage import frame_tokens, text_tokens


@dataclass(frozen=True, slots=True)
class _Looking:
    """A picture that is being looked at."""

    is_still: bool
    size_bytes: int


class Gathering:
    """Gathers what the next answer is about.

    Args:
        settings: What the setup asked for.
        knowledge: What the session knows.
        outbox: Takes the effects.

    Attributes:
        gathered: What has come in since the last answer.
        has_unanswered: Whether content waits for an answer.
    """

    def __init__(self, settings: Settings, *, knowledge: Knowledge, outbox: Outbox) -> None:
        self.gathered = Gathered()
        self.has_unanswered = False
        self._is_opening = False
        self._frame_tokens = frame_tokens(settings.media_resolution)
        self._knowledge = knowledge
        self._outbox = outbox
        self._looks: dict[int, _Looking] = {}

    @property
    def is_looking(self) -> bool:
        """Whether a picture has not been looked at yet."""
        return bool(self._looks)

    @property
    def greets(self) -> bool:
        """Whether the content is history, without a picture, that a conversation begins with."""
        has_still = bool(self.gathered.stills) or any(p.is_still for p in self._looks.values())
        return self._is_opening and not has_still

    def gather(self, turn: Turn, *, is_opening: bool) -> None:
        """Takes a turn of clientContent, to be answered when that is asked for.

        Args:
            turn: What somebody said or showed.
            is_opening: Whether it is history that comes before the first answer.

        Raises:
            ProtocolError: 1008; it is no picture.
        """
        self.has_unanswered = True
        self._is_opening = is_opening
        self.gathered.turns += 1
        self._knowledge.count(text=text_tokens(turn.text))
        if turn.role == "model":
            return
        if turn.text.strip():
            self.gathered.texts.append(turn.text[:MAX_KEPT_TEXT])
        if is_opening and (kept := to_keep(turn.text)):
            self._knowledge.keep(kept)
        for blob in turn.blobs:
            if not blob.mime_type.startswith("image/"):
                raise refused("Operation not supported")
            self._look(blob, is_still=True, is_counted=True)

    def look(self, blob: Blob, *, is_counted: bool) -> None:
        """Takes a frame of a video; an answer waits until it has been looked at.

        Args:
            blob: JPEG, PNG or WebP.
            is_counted: Whether it costs tokens.
        """
        self._look(blob, is_still=False, is_counted=is_counted)
        self._knowledge.note_video()

    def saw(self, ticket: int, seen: Seen) -> None:
        """Takes what a picture shows."""
        looking = self._looks.pop(ticket)
        if looking.is_still:
            seen = replace(seen, source=seen.source or "upload")
            self.gathered.stills.append(seen)
        else:
            self.gathered.frames[seen.source] += 1
            self.gathered.latest[seen.source] = seen
        self._knowledge.see(seen)
        self._outbox.note(
            "picture" if looking.is_still else "video",
            source=seen.source or "video",
            width=seen.width,
            height=seen.height,
            bytes=looking.size_bytes,
            brightness=seen.brightness,
            colours=[list(colour) for colour in seen.colours],
        )

    def take(self) -> Gathered:
        """Returns what was gathered, and begins anew."""
        gathered, self.gathered = self.gathered, Gathered()
        return gathered

    def drop_texts(self) -> None:
        """Forgets what was written: functions were called for it."""
        self.gathered.texts.clear()
        self.gathered.turns = 0

    def _look(self, blob: Blob, *, is_still: bool, is_counted: bool) -> None:
        ticket = self._outbox.work(Look(blob.data))
        self._looks[ticket] = _Looking(is_still, len(blob.data))
        if is_counted:
            self._knowledge.count(image=self._frame_tokens)
