"""One session of the Live API as a state machine: messages and a clock in, effects out.

No socket, no event loop and no clock of its own. The shell hands in what the client said
(`receive`), results of work it was asked for (`finish`) and the time (`tick`), each with the
present time in seconds, and carries out the effects each of them returns, in order. Between
calls it waits until `next_due_s` at the latest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from understudy.conversation import Conversation, begin_conversation
from understudy.effects import Effect, Outbox, Result
from understudy.errors import INTERNAL_ERROR, ProtocolError, invalid, refused
from understudy.memory import Memory, ResumptionStore
from understudy.messages import (
    ClientContent,
    ClientMessage,
    ContextUpdate,
    RealtimeInput,
    RealtimeMedia,
    RealtimeText,
    Setup,
    ToolResponse,
)
from understudy.moments import is_video
from understudy.profiles import Profile
from understudy.quotas import Account, Quotas
from understudy.scenario import Scenario
from understudy.setup import Settings, read_setup
from understudy.tokens import EXPIRED, Admission

HISTORY_GRACE_S = 1.0
"""How long realtime input waits for the announced history. A client that announces history and
has none (Pipecat 1.14 with an empty context) would otherwise never be heard."""
MAX_HELD = 512
"""Realtime messages held meanwhile: ten seconds of 20 ms messages."""
MAX_HELD_BYTES = 4_000_000


def _random_number() -> int:
    """Returns a number of up to 19 digits, as in the ids that were recorded."""
    return secrets.randbits(62)


class Phase(Enum):
    """Where a session stands."""

    SETUP = auto()
    HISTORY = auto()
    LIVE = auto()
    CLOSED = auto()


class Session:
    """One client's session.

    Args:
        store: Where resumption handles are kept, shared by all sessions of a server.
        new_id: Makes resumption handles; a UUID each time.
        new_number: Makes the numbers in the ids of function calls.
        api_version: The version in the client's URL.
        refusal: Refuse the setup with this: the key was no good.
        scenario: What to say instead of what was seen and heard.
        forced_profile: Play this model family whatever model is asked for.
        clock_scale: How many times faster than real a connection's and a session's limits pass.
        exclusive_handles: Refuse a handle while the connection that was given it is open.
        account: What it costs its key; None: nothing.
        admit: Lets a setup in that an ephemeral token constrains; None for sessions with a key.
    """

    def __init__(
        self,
        *,
        store: ResumptionStore,
        new_id: Callable[[], str],
        new_number: Callable[[], int] = _random_number,
        api_version: str = "v1beta",
        refusal: ProtocolError | None = None,
        scenario: Scenario | None = None,
        forced_profile: Profile | None = None,
        clock_scale: float = 1.0,
        exclusive_handles: bool = False,
        account: Account | None = None,
        admit: Callable[[Mapping[str, Any]], Admission] | None = None,
    ) -> None:
        self._phase = Phase.SETUP
        self._store = store
        self._new_id = new_id
        self._new_number = new_number
        self._api_version = api_version
        self._refusal = refusal
        self._scenario = scenario
        self._forced_profile = forced_profile
        self._clock_scale = clock_scale
        self._exclusive_handles = exclusive_handles
        self._owner = object()
        self._account = account or Quotas().account("")
        self._admit = admit
        self._access_until_s: float | None = None
        self._outbox = Outbox()
        self._conversation: Conversation | None = None
        self._held: list[RealtimeInput] = []
        self._held_bytes = 0
        self._hold_until_s: float | None = None

    @property
    def next_due_s(self) -> float | None:
        """When `tick` should be called at the latest; None if nothing is planned."""
        if self._phase is Phase.CLOSED or self._conversation is None:
            return None
        due_s, until_s = self._conversation.next_due_s, self._hold_until_s
        return due_s if until_s is None else min(due_s, until_s)

    def receive(self, message: ClientMessage, now_s: float) -> list[Effect]:
        """Takes one message of the client."""
        return self._guarded(lambda: self._dispatch(message, now_s))

    def finish(self, ticket: int, result: Result, now_s: float) -> list[Effect]:
        """Takes the result of the work with this ticket."""
        return self._guarded(lambda: self._finish(ticket, result, now_s))

    def tick(self, now_s: float) -> list[Effect]:
        """Does what is due by now."""
        return self._guarded(lambda: self._do_due(now_s))

    def fail(self, error: ProtocolError) -> list[Effect]:
        """Ends the session because what the client sent could not even be parsed."""
        return self._guarded(lambda: self._close(error))

    def end(self) -> None:
        """Takes note that the connection is gone."""
        self._store.disconnect(self._owner)
        self._account.close()

    def _guarded(self, action: Callable[[], None]) -> list[Effect]:
        if self._phase is not Phase.CLOSED:
            try:
                action()
            except ProtocolError as error:
                # A refused key's is kept here: its traceback would hold this session.
                self._close(error.with_traceback(None))
        return self._outbox.drain()

    def _close(self, error: ProtocolError) -> None:
        self._phase = Phase.CLOSED
        self._held.clear()
        self.end()
        self._outbox.close(error.code, error.reason)

    def _dispatch(self, message: ClientMessage, now_s: float) -> None:
        conversation = self._conversation
        if self._access_until_s is not None and now_s >= self._access_until_s:
            raise invalid(EXPIRED)
        if isinstance(message, Setup):
            self._set_up(message, now_s)
        elif conversation is None:
            raise invalid()
        elif isinstance(message, ClientContent):
            is_history = self._phase is Phase.HISTORY
            conversation.client.take_content(message, now_s, is_history=is_history)
            if is_history and message.turn_complete:
                self._begin_live(conversation, now_s)
        elif isinstance(message, ToolResponse):
            conversation.dialogue.take_results(message.results, now_s)
        elif isinstance(message, ContextUpdate):
            conversation.client.update_context(message)
        elif self._phase is Phase.HISTORY:
            self._hold(message, conversation, now_s)
        else:
            conversation.client.take_realtime(message, now_s)
        if conversation is not None and is_video(message):
            conversation.lifetime.see_video(now_s)

    def _set_up(self, setup: Setup, now_s: float) -> None:
        if self._phase is not Phase.SETUP:
            raise invalid()
        if self._refusal is not None:
            raise self._refusal
        fields = setup.fields
        if self._admit is not None:
            admission = self._admit(fields)
            fields, self._access_until_s = admission.setup, now_s + admission.for_s
        settings = read_setup(
            fields, api_version=self._api_version, forced_profile=self._forced_profile
        )
        self._account.open(now_s)
        memory = Memory()
        if settings.handle is not None:
            memory = self._resume(settings.handle, now_s)
        conversation = begin_conversation(
            settings,
            memory=memory,
            scenario=self._scenario,
            store=self._store,
            new_id=self._new_id,
            new_number=self._new_number,
            outbox=self._outbox,
            account=self._account,
            now_s=now_s,
            clock_scale=self._clock_scale,
            owner=self._owner,
        )
        self._conversation = conversation
        self._store.connect(self._owner)
        self._phase = Phase.HISTORY if settings.history_first else Phase.LIVE
        self._note_setup(settings)
        self._outbox.send({"setupComplete": {}})
        conversation.handles.begin(now_s)

    def _resume(self, handle: str, now_s: float) -> Memory:
        memory = self._store.load(handle, now_s)
        if memory is None:
            raise refused("BidiGenerateContent session not found")
        if self._store.is_poisoned(handle):
            raise invalid()  # reported, of handles from before a "Deadline expired"
        if self._exclusive_handles and self._store.is_in_use(handle):
            raise ProtocolError(1011, INTERNAL_ERROR)
        return memory

    def _note_setup(self, settings: Settings) -> None:
        self._outbox.note(
            "setup",
            model=settings.model,
            profile=settings.profile.name,
            instruction_characters=len(settings.instruction),
            voice=settings.voice.name,
            language=settings.voice.language,
            automatic_activity=not settings.detection.disabled,
            interrupts=settings.interrupts,
            tools=settings.tools,
            history=settings.history_first,
            resumed=settings.handle is not None,
        )

    def _hold(self, message: RealtimeInput, conversation: Conversation, now_s: float) -> None:
        """Keeps realtime input until the history is there."""
        self._held.append(message)
        if isinstance(message, RealtimeMedia):
            self._held_bytes += len(message.blob.data)
        elif isinstance(message, RealtimeText):
            self._held_bytes += len(message.text)
        is_full = len(self._held) >= MAX_HELD or self._held_bytes >= MAX_HELD_BYTES
        if conversation.gathering.has_unanswered or is_full:
            # History that is never completed (turnComplete false, then the microphone) is how
            # Pipecat begins a conversation in which the model does not speak first.
            self._begin_live(conversation, now_s)
        elif self._hold_until_s is None:
            self._hold_until_s = now_s + HISTORY_GRACE_S

    def _begin_live(self, conversation: Conversation, now_s: float) -> None:
        self._phase = Phase.LIVE
        self._hold_until_s = None
        held, self._held = self._held, []
        for message in held:
            conversation.client.take_realtime(message, now_s)

    def _finish(self, ticket: int, result: Result, now_s: float) -> None:
        if self._conversation is not None:
            self._conversation.dialogue.finish(ticket, result, now_s)
            self._do_due(now_s)

    def _do_due(self, now_s: float) -> None:
        conversation = self._conversation
        if conversation is None:
            return
        if (go_away := conversation.lifetime.check(now_s)) is not None:
            self._outbox.note("go_away", time_left=go_away.time_left)
            self._outbox.send({"goAway": {"timeLeft": go_away.time_left}})
        if self._hold_until_s is not None and self._hold_until_s <= now_s:
            self._begin_live(conversation, now_s)
        conversation.dialogue.do_due(now_s)
