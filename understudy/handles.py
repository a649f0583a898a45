"""The resumption handles of one connection: when they are sent, and when it can't be resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from understudy.effects import Outbox
from understudy.knowledge import Knowledge
from understudy.memory import ResumptionStore
from understudy.setup import Settings


class Handles:
    """Sends sessionResumptionUpdate.

    Args:
        settings: What the setup asked for.
        knowledge: What a handle brings back.
        store: Where it is kept.
        new_id: Makes handles.
        outbox: Takes the effects.
        started_s: When the connection was set up.
        owner: Stands for the connection, beside the handles it is given.

    Attributes:
        is_resumable: Whether the last word was a handle.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        knowledge: Knowledge,
        store: ResumptionStore,
        new_id: Callable[[], str],
        outbox: Outbox,
        started_s: float,
        owner: object,
    ) -> None:
        self.is_resumable = True
        self._are_wanted = settings.sends_handles
        self._come_unasked = settings.profile.sends_unasked_handles
        self._knowledge = knowledge
        self._store = store
        self._new_id = new_id
        self._outbox = outbox
        self._started_s = started_s
        self._owner = owner

    def begin(self, now_s: float) -> None:
        """Sends the first, where the model does so unasked."""
        if self._come_unasked:
            self._send(now_s)

    def lock(self, now_s: float) -> None:
        """Sends what a session that begins to generate tells of its resumption.

        Vendor documentation: it can't be resumed while it generates or waits for a function.
        """
        if not self.is_resumable or not self._are_wanted:
            return
        if self._come_unasked:
            self._send(now_s)
        self.is_resumable = False
        self._outbox.send({"sessionResumptionUpdate": {"resumable": False}})

    def unlock(self, now_s: float) -> None:
        """Sends, when all is done, a handle that brings back what is known now."""
        if self._are_wanted:
            self._send(now_s)

    def _send(self, now_s: float) -> None:
        self.is_resumable = True
        handle, memory = self._new_id(), self._knowledge.memory
        memory = replace(memory, age_s=memory.age_s + now_s - self._started_s)
        self._store.save(handle, memory, now_s, owner=self._owner)
        self._outbox.send({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})
