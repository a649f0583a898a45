"""Which turns a conversation has: who began when, what was said and shown, how it ended.

No clock and no I/O: every event brings its time (seconds since the epoch), and the answer to each
is the turns that are now complete, in the order in which they were begun.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

NOISE_AFTER_S = 10.0
"""Sound that the model neither transcribes nor answers for so long was not the start of a turn.

The slowest answers to speech that were recorded took 6 s."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One side's stretch of speech or text.

    Parameters:
        number: Counts from 1, in the order in which turns are begun.
        side: Whose it is.
        start: When it began, ISO 8601 in UTC.
        end: When it ended, likewise.
        text: What was said or typed; of an interrupted answer, what was heard of it. Empty when
            the model sent no transcript.
        interrupted: Whether the user cut the bot's turn short.
        pictures: Stills that the model was shown in it: file name, size, caption.
        frames: How many frames of each running video the model was shown in it, by source.
        video: What became of the frames that came in it, by source, and why: `shown` and
            `left_out`, each with a count by reason.
        latency_ms: From the end of what the user said to the bot's first sound; None for a turn
            that answers nothing, as the greeting.
        tokens: As the model counted them; None when it did not.
        modalities: The same by modality, by the kinds of `pipeline.costs.Tokens`; None likewise.
        cost_so_far_usd: What the session has cost when this turn was counted, in US dollars; None
            when it was not counted, or a price that it takes is not known.
        network: How the line between the page and the session was then, as
            `pipeline.network_stats.NetworkStats` has it; None when nobody said.
        speaker: Who spoke in a user's turn in a room, in the order in which they began, each with
            `name` and `seconds`.
        continues: The number of a turn to which this text belongs, when it came too late for it.
    """

    number: int
    side: Literal["user", "bot"]
    start: str
    end: str
    text: str
    interrupted: bool
    pictures: list[dict[str, Any]]
    frames: dict[str, int]
    video: dict[str, dict[str, dict[str, int]]]
    latency_ms: int | None
    tokens: dict[str, int] | None
    modalities: dict[str, int] | None
    cost_so_far_usd: float | None
    network: dict[str, Any] | None
    speaker: list[dict[str, Any]]
    continues: int | None

    def as_record(self) -> dict[str, Any]:
        """As it is written, for JSON."""
        return asdict(self)


@dataclass
class _Open:
    """A turn that is not complete yet."""

    number: int
    side: Literal["user", "bot"]
    start_s: float
    end_s: float | None = None
    texts: list[str] = field(default_factory=list)
    interrupted: bool = False
    pictures: list[dict[str, Any]] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)
    video: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    latency_ms: int | None = None
    tokens: dict[str, int] | None = None
    modalities: dict[str, int] | None = None
    cost_so_far_usd: float | None = None
    network: dict[str, Any] | None = None
    speakers: dict[str, float] = field(default_factory=dict)
    heard: str | None = None
    answered: bool = False
    complete: bool = False
    continues: int | None = None

    def freeze(self, now_s: float) -> Turn:
        separator = " " if self.side == "user" else ""
        texts = self.texts if self.heard is None or not self.interrupted else [self.heard]
        return Turn(
            number=self.number,
            side=self.side,
            start=iso(self.start_s),
            end=iso(self.end_s if self.end_s is not None else now_s),
            text=separator.join(texts).strip(),
            interrupted=self.interrupted,
            pictures=self.pictures,
            frames=self.frames,
            video=self.video,
            latency_ms=self.latency_ms,
            tokens=self.tokens,
            modalities=self.modalities,
            cost_so_far_usd=self.cost_so_far_usd,
            network=self.network,
            speaker=[{"name": n, "seconds": round(s, 1)} for n, s in self.speakers.items()],
            continues=self.continues,
        )


class TurnLog:
    """Follows a conversation and says which turns are complete.

    A user's turn is all that the user says, types and sends until the bot answers; it is complete
    when the answer begins and there is something in it, at the latest when the answer ends. A
    bot's turn is complete when it has ended, the model has counted its tokens and, if it was
    interrupted, it is known what was heard; at the latest when its next one begins.
    """

    def __init__(self):
        self._count = 0
        self._open: list[_Open] = []
        self._user: _Open | None = None
        self._bot: _Open | None = None
        self._last_user: _Open | None = None
        self._last_bot: _Open | None = None
        self._unseen_frames: dict[str, int] = {}
        self._unjudged_video: dict[str, dict[str, dict[str, int]]] = {}
        self._asked_at_s: float | None = None
        self._network: dict[str, Any] | None = None

    # --- the user -------------------------------------------------------------------------------

    def user_started(self, now_s: float) -> list[Turn]:
        """The user began to speak."""
        user = self._user_turn(now_s)
        was_noise = user.end_s is not None and now_s - user.end_s > NOISE_AFTER_S
        if was_noise and not user.texts and not user.pictures:
            user.start_s = now_s
        user.end_s = None
        return self._completed(now_s)

    def user_stopped(self, now_s: float) -> list[Turn]:
        """The user fell silent."""
        if self._user:
            self._user.end_s = now_s
            self._asked_at_s = now_s
        return self._completed(now_s)

    def user_said(self, text: str, now_s: float) -> list[Turn]:
        """A piece of the transcript of the user's speech came."""
        last = self._last_user
        if self._user is None and last and (self._bot or not last.texts):
            self._add_late(text.strip(), last)
        else:
            self._user_turn(now_s).texts.append(text.strip())
        return self._completed(now_s)

    def users_spoke(self, speakers: list[tuple[str, float]], now_s: float) -> list[Turn]:
        """These people were heard, each for so many seconds, and are silent now."""
        turn = self._user or (self._last_user if self._last_user in self._open else None)
        if turn:
            for name, seconds in speakers:
                turn.speakers[name] = turn.speakers.get(name, 0.0) + seconds
        return self._completed(now_s)

    def user_typed(self, text: str, now_s: float) -> list[Turn]:
        """The user sent a typed message."""
        user = self._user_turn(now_s)
        user.texts.append(text.strip())
        user.end_s = self._asked_at_s = now_s
        return self._completed(now_s)

    def user_showed(self, picture: dict[str, Any], caption: str, now_s: float) -> list[Turn]:
        """The model was sent a still of the user's with a caption."""
        self._user_turn(now_s).pictures.append(picture)
        return self.user_typed(caption, now_s)

    def model_saw(self, source: str, now_s: float) -> list[Turn]:
        """The model was sent a frame of a running video."""
        turn = self._user or self._bot
        frames = turn.frames if turn else self._unseen_frames
        frames[source] = frames.get(source, 0) + 1
        return self._completed(now_s)

    def frames_judged(
        self, source: str, shown: dict[str, int], left_out: dict[str, int], now_s: float
    ) -> list[Turn]:
        """It was decided which frames of a running video are shown, with counts by reason."""
        turn = self._user or self._bot
        video = (turn.video if turn else self._unjudged_video).setdefault(source, {})
        for verdict, counts in (("shown", shown), ("left_out", left_out)):
            total = video.setdefault(verdict, {})
            for reason, count in counts.items():
                total[reason] = total.get(reason, 0) + count
        return self._completed(now_s)

    # --- the bot --------------------------------------------------------------------------------

    def bot_started(self, now_s: float) -> list[Turn]:
        """The model began to answer."""
        if self._bot:
            self._bot.complete = True
            self._end_bot(now_s)
        for turn in self._open:
            if turn.side == "bot":
                turn.complete = True
        if self._user:
            self._user.answered = True
            self._last_user, self._user = self._user, None
        self._bot = self._begin("bot", now_s)
        return self._completed(now_s)

    def bot_heard(self, now_s: float) -> list[Turn]:
        """The bot's first sound went out to the user."""
        if self._bot and self._asked_at_s is not None and self._bot.latency_ms is None:
            self._bot.latency_ms = round((now_s - self._asked_at_s) * 1000)
            self._asked_at_s = None
        return self._completed(now_s)

    def bot_said(self, text: str, now_s: float) -> list[Turn]:
        """A piece of the transcript of the bot's speech came; spaces are in the pieces."""
        if self._bot:
            self._bot.texts.append(text)
        elif self._last_bot and not self._last_bot.interrupted:
            self._add_late(text, self._last_bot)
        return self._completed(now_s)

    def bot_was_heard(self, text: str, now_s: float) -> list[Turn]:
        """So much of the bot's turn was played; it counts when the turn was interrupted."""
        if turn := self._last_open_bot():
            turn.heard = text
        return self._completed(now_s)

    def bot_counted(self, tokens: dict[str, int], now_s: float) -> list[Turn]:
        """The model said how many tokens its turn took."""
        if turn := self._last_open_bot():
            turn.tokens = tokens
        return self._completed(now_s)

    def bot_spent(
        self, modalities: dict[str, int], cost_so_far_usd: float | None, now_s: float
    ) -> list[Turn]:
        """What that was by modality, which adds up, and what the session has cost by then."""
        if turn := self._last_open_bot():
            sums = Counter(turn.modalities or {})
            sums.update(modalities)
            turn.modalities, turn.cost_so_far_usd = dict(sums), cost_so_far_usd
        return self._completed(now_s)

    def bot_ended(self, now_s: float) -> list[Turn]:
        """The model's turn is over."""
        self._end_bot(now_s)
        return self._completed(now_s)

    def interrupted(self, now_s: float) -> list[Turn]:
        """The user cut in; what the model had not finished is not played."""
        if self._bot:
            self._bot.interrupted = True
            self._end_bot(now_s)
        return self._completed(now_s)

    def session_ended(self, now_s: float) -> list[Turn]:
        """Nothing more will come: all turns are complete as they are."""
        self._end_bot(now_s)
        for turn in self._open:
            turn.complete = True
        self._user = None
        return self._completed(now_s)

    def _last_open_bot(self) -> _Open | None:
        return self._bot or next((t for t in reversed(self._open) if t.side == "bot"), None)

    def line_is(self, network: dict[str, Any], now_s: float) -> list[Turn]:
        """So is the line between the page and the session now."""
        self._network = network
        for turn in (self._user, self._bot):
            if turn:
                turn.network = network
        return self._completed(now_s)

    # --- bookkeeping ----------------------------------------------------------------------------

    def _begin(self, side: Literal["user", "bot"], now_s: float) -> _Open:
        self._count += 1
        turn = _Open(number=self._count, side=side, start_s=now_s, network=self._network)
        self._open.append(turn)
        return turn

    def _user_turn(self, now_s: float) -> _Open:
        if self._user is None:
            for turn in self._open:
                # An answer whose tokens were never counted waits no longer.
                turn.complete |= turn.end_s is not None and not turn.interrupted
            self._user = self._begin("user", now_s)
            self._user.frames, self._unseen_frames = self._unseen_frames, {}
            self._user.video, self._unjudged_video = self._unjudged_video, {}
        return self._user

    def _add_late(self, text: str, belongs_to: _Open) -> None:
        if belongs_to in self._open:
            belongs_to.texts.append(text)
            return
        late = self._begin(belongs_to.side, belongs_to.start_s)
        late.texts.append(text)
        late.end_s, late.continues, late.complete = belongs_to.end_s, belongs_to.number, True

    def _end_bot(self, now_s: float) -> None:
        if self._bot:
            self._bot.end_s = now_s
            self._last_bot, self._bot = self._bot, None
            if self._last_user:
                self._last_user.complete = True

    def _completed(self, now_s: float) -> list[Turn]:
        turns: list[Turn] = []
        while self._open and self._is_complete(self._open[0]):
            turn = self._open.pop(0)
            if turn.side == "bot" or turn.texts or turn.pictures or turn.answered:
                turns.append(turn.freeze(now_s))
        return turns

    @staticmethod
    def _is_complete(turn: _Open) -> bool:
        if turn.side == "user":
            return turn.complete or (turn.answered and bool(turn.texts))
        known = turn.tokens is not None and (turn.heard is not None or not turn.interrupted)
        return turn.complete or (turn.end_s is not None and known)


def iso(seconds: float) -> str:
    """A time as it is written: ISO 8601 in UTC.

    Args:
        seconds: Since the epoch.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
