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

from understudy import answers
from understudy.dialogue import Dialogue
from understudy.effects import Effect, Outbox, Result
from understudy.errors import INTERNAL_ERROR, ProtocolError, invalid, refused
from understudy.facts import Heard
from understudy.hearing import Hearing, HearingEvent, SpeechStarted, level_dbfs
from understudy.limits import Lifetime
from understudy.memory import Memory, ResumptionStore
from understudy.messages import (
    ActivityEnd,
    ActivityStart,
    AudioStreamEnd,
    Blob,
    ClientContent,
    ClientMessage,
    ContextUpdate,
    RealtimeInput,
    RealtimeMedia,
    RealtimeText,
    Setup,
    ToolResponse,
)
from understudy.profiles import Profile
from understudy.scenario import Scenario
from understudy.schema import unknown_name
from understudy.setup import Settings, read_setup
from understudy.tokens import EXPIRED, Admission
from understudy.tools import read_functions
from understudy.usage import audio_tokens, text_tokens
from understudy.wire import audio_rate_hz, duration, read_turn

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
        self._lifetime: Lifetime | None = None
        self._admit = admit
        self._access_until_s: float | None = None
        self._outbox = Outbox()
        self._live: _Live | None = None
        self._held: list[RealtimeInput] = []
        self._held_bytes = 0
        self._hold_until_s: float | None = None

    @property
    def next_due_s(self) -> float | None:
        """When `tick` should be called at the latest; None if nothing is planned."""
        if self._phase is Phase.CLOSED or self._live is None or self._lifetime is None:
            return None
        due = (self._hold_until_s, self._live.dialogue.next_due_s, self._lifetime.next_due_s)
        return min((time for time in due if time is not None), default=None)

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

    def _guarded(self, action: Callable[[], None]) -> list[Effect]:
        if self._phase is not Phase.CLOSED:
            try:
                action()
            except ProtocolError as error:
                self._close(error)
        return self._outbox.drain()

    def _close(self, error: ProtocolError) -> None:
        self._phase = Phase.CLOSED
        self._held.clear()
        self.end()
        self._outbox.close(error.code, error.reason)

    def _dispatch(self, message: ClientMessage, now_s: float) -> None:
        live = self._live
        if self._access_until_s is not None and now_s >= self._access_until_s:
            raise invalid(EXPIRED)
        if isinstance(message, Setup):
            self._set_up(message, now_s)
        elif live is None:
            raise invalid()
        elif isinstance(message, ClientContent):
            is_history = self._phase is Phase.HISTORY
            live.take_content(message, now_s, is_history=is_history)
            if is_history and message.turn_complete:
                self._begin_live(live, now_s)
        elif isinstance(message, ToolResponse):
            live.dialogue.take_results(message.results, now_s)
        elif isinstance(message, ContextUpdate):
            live.update_context(message)
        elif self._phase is Phase.HISTORY:
            self._hold(message, live, now_s)
        else:
            live.take_realtime(message, now_s)
        is_video = isinstance(message, RealtimeMedia) and message.blob.mime_type.startswith(
            "image/"
        )
        if is_video and self._lifetime is not None:
            self._lifetime.see_video(now_s)

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
        memory = Memory()
        if settings.handle is not None:
            memory = self._resume(settings.handle, now_s)
        self._lifetime = Lifetime(
            settings.profile,
            started_s=now_s,
            age_s=memory.age_s,
            compresses=settings.sliding is not None,
            saw_video=memory.saw_video,
            scale=self._clock_scale,
        )
        self._store.connect(self._owner)
        dialogue = Dialogue(
            settings,
            memory=memory,
            scenario=self._scenario,
            store=self._store,
            new_id=self._new_id,
            new_number=self._new_number,
            outbox=self._outbox,
            started_s=now_s,
            owner=self._owner,
        )
        if settings.handle is None:
            dialogue.count_instruction(text_tokens(settings.instruction))
        self._live = _Live(settings, dialogue=dialogue, outbox=self._outbox)
        self._phase = Phase.HISTORY if settings.history_first else Phase.LIVE
        self._note_setup(settings)
        self._outbox.send({"setupComplete": {}})
        if settings.profile.sends_unasked_handles:
            dialogue.send_handle(now_s)

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

    def _hold(self, message: RealtimeInput, live: _Live, now_s: float) -> None:
        """Keeps realtime input until the history is there."""
        self._held.append(message)
        if isinstance(message, RealtimeMedia):
            self._held_bytes += len(message.blob.data)
        elif isinstance(message, RealtimeText):
            self._held_bytes += len(message.text)
        is_full = len(self._held) >= MAX_HELD or self._held_bytes >= MAX_HELD_BYTES
        if live.dialogue.has_unanswered or is_full:
            # History that is never completed (turnComplete false, then the microphone) is how
            # Pipecat begins a conversation in which the model does not speak first.
            self._begin_live(live, now_s)
        elif self._hold_until_s is None:
            self._hold_until_s = now_s + HISTORY_GRACE_S

    def _begin_live(self, live: _Live, now_s: float) -> None:
        self._phase = Phase.LIVE
        self._hold_until_s = None
        held, self._held = self._held, []
        for message in held:
            live.take_realtime(message, now_s)

    def _finish(self, ticket: int, result: Result, now_s: float) -> None:
        if self._live is not None:
            self._live.dialogue.finish(ticket, result, now_s)
            self._do_due(now_s)

    def _do_due(self, now_s: float) -> None:
        if self._live is None or self._lifetime is None:
            return
        if (go_away := self._lifetime.check(now_s)) is not None:
            self._outbox.note("go_away", time_left=go_away.time_left)
            self._outbox.send({"goAway": {"timeLeft": go_away.time_left}})
        if self._hold_until_s is not None and self._hold_until_s <= now_s:
            self._begin_live(self._live, now_s)
        self._live.dialogue.do_due(now_s)


class _Live:
    """A session that is set up: what the client's messages mean.

    Args:
        settings: What the setup asked for.
        dialogue: Who answers.
        outbox: Takes the effects.
    """

    def __init__(self, settings: Settings, *, dialogue: Dialogue, outbox: Outbox) -> None:
        self.dialogue = dialogue
        self._settings = settings
        self._outbox = outbox
        self._hearing = Hearing(settings.detection)
        self._has_activity = False
        self._uncounted_audio_s = 0.0

    def take_content(self, content: ClientContent, now_s: float, *, is_history: bool) -> None:
        """Takes clientContent, and answers it unless it is history."""
        profile, dialogue = self._settings.profile, self.dialogue
        if dialogue.has_answered and not profile.content_after_first_turn:
            raise invalid()
        _check_turns(content, profile)
        self._outbox.note(
            "content",
            turns=len(content.turns),
            pictures=sum(len(turn.blobs) for turn in content.turns),
            characters=sum(len(turn.text) for turn in content.turns),
            turn_complete=content.turn_complete,
        )
        is_opening = is_history or not (
            profile.honours_history or dialogue.has_answered or self._settings.handle
        )
        # Vendor documentation: clientContent interrupts any generation, complete or not.
        dialogue.interrupt(now_s)
        for turn in content.turns:
            dialogue.gather(turn, is_opening=is_opening)
        if content.turn_complete and not is_history:
            dialogue.answer_content(now_s)

    def update_context(self, update: ContextUpdate) -> None:
        """Takes a new system instruction or tool list."""
        if not self._settings.profile.takes_context_update:
            raise unknown_name("contextUpdate", "")
        text = read_turn(update.fields.get("systemInstruction", {})).text
        self.dialogue.count(text=text_tokens(text))
        if "tools" in update.fields:
            tools = update.fields["tools"].get("tools", ())
            self.dialogue.declare(read_functions(tools, self._settings.profile))
        self._outbox.note("context_update", instruction_characters=len(text))

    def take_realtime(self, message: RealtimeInput, now_s: float) -> None:
        """Takes realtimeInput."""
        match message:
            case RealtimeMedia(field, blob):
                self._take_media(field, blob, now_s)
            case RealtimeText(text):
                self._take_text(text, now_s)
            case ActivityStart():
                self._require_manual_activity()
                self._follow(self._hearing.start_activity(), now_s)
            case ActivityEnd():
                self._require_manual_activity()
                self._follow(self._hearing.end_activity(), now_s)
            case AudioStreamEnd():
                self._outbox.note("audio_stream_end")
                self._follow(self._hearing.flush(), now_s)

    def _require_manual_activity(self) -> None:
        if not self._settings.detection.disabled:
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection is "
                "enabled."
            )

    def _take_media(self, field: str, blob: Blob, now_s: float) -> None:
        if field == "mediaChunks" and not self._settings.profile.takes_media_chunks:
            raise invalid(
                "realtime_input.media_chunks is deprecated. Use audio, video, or text instead."
            )
        is_picture = blob.mime_type.startswith("image/")
        if field == "audio" or (field == "mediaChunks" and not is_picture):
            self._take_audio(blob, now_s)
        elif is_picture:
            only_activity = self._settings.turn_coverage == "TURN_INCLUDES_ONLY_ACTIVITY"
            is_counted = self._has_activity or not only_activity
            self.dialogue.look(blob, is_still=False, is_counted=is_counted)
        else:
            raise invalid()

    def _take_audio(self, blob: Blob, now_s: float) -> None:
        rate_hz = audio_rate_hz(blob.mime_type)
        if not self._hearing.tune(rate_hz):
            raise invalid(
                f"Sample rate changed from previously {self._hearing.rate_hz} to {rate_hz}, which "
                "is not supported."
            )
        audio_s = len(blob.data) / 2 / rate_hz
        self._uncounted_audio_s += audio_s
        level = round(level_dbfs(blob.data), 1)
        self._outbox.note("audio", ms=round(audio_s * 1000), rate=rate_hz, dbfs=level)
        self._follow(self._hearing.feed(blob.data), now_s)

    def _take_text(self, text: str, now_s: float) -> None:
        if text.strip():
            self._outbox.note("text", text=text[:200], characters=len(text))
            self.dialogue.answer_text(text, now_s)
        elif not self.dialogue.is_answering:
            # Pipecat's nudge, realtime text " ": answer the history, if there is any.
            self.dialogue.answer_content(now_s)

    def _follow(self, events: list[HearingEvent], now_s: float) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._speech_started(event.offset_s, now_s)
            else:
                self._speech_ended(event.heard, now_s)

    def _speech_started(self, offset_s: float, now_s: float) -> None:
        self._has_activity = True
        self.dialogue.listen()
        self._outbox.note("activity_start", offset_s=round(offset_s, 3))
        self._send_activity("ACTIVITY_START", offset_s)
        if self._settings.interrupts:
            self.dialogue.interrupt(now_s)

    def _speech_ended(self, heard: Heard, now_s: float) -> None:
        settings = self._settings
        self._has_activity = False
        if settings.transcribes_input:
            lead = " " if settings.profile.transcribes_words else ""
            text = lead + answers.transcript(heard)
            self._outbox.send({"serverContent": {"inputTranscription": {"text": text}}})
        self._send_activity("ACTIVITY_END", heard.end_s)
        self._outbox.note(
            "activity_end",
            offset_s=round(heard.end_s, 3),
            speech_s=round(heard.speech_s, 2),
            dbfs=round(heard.level_dbfs, 1),
        )
        self._count_audio(heard)
        self.dialogue.answer_heard(heard, now_s)

    def _count_audio(self, heard: Heard) -> None:
        all_s, self._uncounted_audio_s = self._uncounted_audio_s, 0.0
        counts_all = self._settings.turn_coverage == "TURN_INCLUDES_ALL_INPUT"
        self.dialogue.count(
            audio=audio_tokens(all_s if counts_all else heard.end_s - heard.start_s)
        )

    def _send_activity(self, kind: str, offset_s: float) -> None:
        if self._settings.profile.sends_voice_activity:
            activity = {"type": kind, "audioOffset": duration(offset_s)}
            self._outbox.send({"voiceActivity": activity})


def _check_turns(content: ClientContent, profile: Profile) -> None:
    for turn in content.turns:
        if profile.requires_turn_role and turn.role not in ("user", "model"):
            raise invalid("Please use a valid role: user, model.")
        if turn.has_function_part and not profile.takes_function_turns:
            raise invalid()
    ends_with_model = bool(content.turns) and content.turns[-1].role == "model"
    if ends_with_model and content.turn_complete and not profile.honours_history:
        raise invalid()
