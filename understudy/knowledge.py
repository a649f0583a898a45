"""What a session knows, as it goes on: the one place where its memory changes. Pure."""

from __future__ import annotations

from dataclasses import replace

from understudy.context import Context
from understudy.effects import Outbox
from understudy.errors import invalid
from understudy.facts import Heard, Seen
from understudy.memory import Memory
from understudy.setup import Settings
from understudy.usage import Usage


class Knowledge:
    """A memory that grows, and the context window in which it has to fit.

    Args:
        memory: What the session knows already; a resumed one knows something.
        settings: What the setup asked for.
        outbox: Takes the effects.

    Attributes:
        memory: What it knows now; immutable, so that a handle can keep it.
    """

    def __init__(self, memory: Memory, *, settings: Settings, outbox: Outbox) -> None:
        self.memory = memory
        self._sliding = settings.sliding
        self._window = settings.profile.context_tokens
        self._outbox = outbox

    def _change(self, context: Context) -> None:
        self.memory = replace(self.memory, context=context)

    # Tokens

    def count(self, *, text: int = 0, audio: int = 0, image: int = 0) -> None:
        """Counts tokens that entered the context."""
        self._change(self.memory.context.add(text=text, audio=audio, image=image))

    def count_instruction(self, tokens: int) -> None:
        """Counts the system instruction, which stays when the window slides."""
        self._change(replace(self.memory.context, instruction=Usage(text=tokens)))

    def count_tools(self, tokens: int) -> None:
        """Counts the declared tools, which stay too; others may take their place."""
        self._change(replace(self.memory.context, tools=Usage(text=tokens)))

    def fit(self) -> None:
        """Slides the context window.

        Raises:
            ProtocolError: 1007; the window is full, and compression was not asked for.
        """
        context = self.memory.context
        total = context.usage.total
        if self._sliding is not None:
            slid = context.slid(self._sliding)
            if slid is not context:
                self._change(slid)
                self._outbox.note("context_slid", tokens=total, left=slid.usage.total)
        elif total > self._window:
            raise invalid()  # reported: the very words of any other invalid argument

    # What happened

    def hear(self, heard: Heard) -> None:
        """Keeps what the user said aloud."""
        self._change(self.memory.context.note(heard=heard))

    def see(self, seen: Seen) -> None:
        """Keeps a picture."""
        latest = {**self.memory.context.turns[-1].seen, seen.source: seen}
        self._change(self.memory.context.note(seen=latest))

    def note_video(self) -> None:
        """Takes note that there was video."""
        self.memory = replace(self.memory, saw_video=True)

    def keep(self, text: str) -> None:
        """Keeps what the user asked to be remembered."""
        told = (*self.memory.context.turns[-1].told, text)
        self._change(self.memory.context.note(told=told))

    def count_answer(self) -> None:
        """Takes note that the model has answered."""
        self.memory = replace(self.memory, turns=self.memory.turns + 1)

    def begin_turn(self) -> None:
        """Ends an exchange: what follows belongs to the next."""
        self._change(self.memory.context.begin_turn())
