"""What a client says once its session is set up: what each of its messages means. Pure."""

from __future__ import annotations

from understudy import answers
from understudy.dialogue import Dialogue
from understudy.effects import Outbox
from understudy.errors import invalid
from understudy.facts import Heard
from understudy.gathering import Gathering
from understudy.hearing import Hearing, HearingEvent, SpeechStarted, level_dbfs
from understudy.knowledge import Knowledge
from understudy.messages import (
    ActivityEnd,
    ActivityStart,
    AudioStreamEnd,
    Blob,
    ClientContent,
    ContextUpdate,
    RealtimeInput,
    RealtimeMedia,
    RealtimeText,
)
from understudy.profiles import Profile
from understudy.schema import unknown_name
from understudy.setup import Settings
from understudy.tools import declared_tokens, read_functions
from understudy.usage import audio_tokens, text_tokens
from understudy.wire import audio_rate_hz, duration, read_turn


class ClientInput:
    """Takes the messages of a client that is set up, and tells the dialogue what they mean.

    Args:
        settings: What the setup asked for.
        knowledge: What the session knows.
        gathering: What is gathered for the next answer.
        dialogue: Who answers.
        outbox: Takes the effects.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        knowledge: Knowledge,
        gathering: Gathering,
        dialogue: Dialogue,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._knowledge = knowledge
        self._gathering = gathering
        self._dialogue = dialogue
        self._outbox = outbox
        self._hearing = Hearing(settings.detection)
        self._has_activity = False
        self._uncounted_audio_s = 0.0

    def take_content(self, content: ClientContent, now_s: float, *, is_history: bool) -> None:
        """Takes clientContent, and answers it unless it is history."""
        profile, dialogue = self._settings.profile, self._dialogue
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
            self._gathering.gather(turn, is_opening=is_opening)
        if content.turn_complete and not is_history:
            dialogue.answer_content(now_s)

    def update_context(self, update: ContextUpdate) -> None:
        """Takes a new system instruction or tool list."""
        if not self._settings.profile.takes_context_update:
            raise unknown_name("contextUpdate", "")
        text = read_turn(update.fields.get("systemInstruction", {})).text
        self._knowledge.count(text=text_tokens(text))
        if "tools" in update.fields:
            tools = update.fields["tools"].get("tools", ())
            self._knowledge.count_tools(declared_tokens(tools))
            self._dialogue.declare(read_functions(tools, self._settings.profile))
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
            self._gathering.look(blob, is_counted=is_counted)
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
            self._dialogue.answer_text(text, now_s)
        elif not self._dialogue.is_answering:
            # Pipecat's nudge, realtime text " ": answer the history, if there is any.
            self._dialogue.answer_content(now_s)

    def _follow(self, events: list[HearingEvent], now_s: float) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._speech_started(event.offset_s, now_s)
            else:
                self._speech_ended(event.heard, now_s)

    def _speech_started(self, offset_s: float, now_s: float) -> None:
        self._has_activity = True
        self._dialogue.listen()
        self._outbox.note("activity_start", offset_s=round(offset_s, 3))
        self._send_activity("ACTIVITY_START", offset_s)
        if self._settings.interrupts:
            self._dialogue.interrupt(now_s)

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
        self._dialogue.answer_heard(heard, now_s)

    def _count_audio(self, heard: Heard) -> None:
        all_s, self._uncounted_audio_s = self._uncounted_audio_s, 0.0
        counts_all = self._settings.turn_coverage == "TURN_INCLUDES_ALL_INPUT"
        self._knowledge.count(
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
