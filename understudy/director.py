"""The director: what really happens of what a session and its client do. Pure.

It stands between a `Session` and the wire. The shell shows it every client message before the
session gets it (`hear`), every effect before it is carried out (`direct`), and calls again when
`next_due_s` has come. What strikes is put into the stream of what goes out, and every fault
that is on changes that stream in the order in which the faults were given.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from understudy.acts import Act, BlackHole, Later, Outgoing, Pongs, Raw, Reset
from understudy.effects import Close, Note, Send, Work
from understudy.faults import Fault
from understudy.messages import ClientMessage
from understudy.moments import PASSED_ONCE, Place, Scene
from understudy.routes import AuthMode
from understudy.rules import Rule

_FINAL = (Close, Reset, BlackHole)
_OUTGOING = (Send, Raw, Pongs, *_FINAL)


@dataclass(slots=True, eq=False)
class _Cast:
    """A rule in this connection.

    Attributes:
        rule: Which fault when.
        fault: This connection's own copy of it.
        has_begun: Whether its moment has come.
        spoken_turn: The last turn in whose speech it struck.
    """

    rule: Rule
    fault: Fault
    has_begun: bool = False
    spoken_turn: int = 0

    def is_on(self, scene: Scene) -> bool:
        turn = self.rule.moment.turn
        return self.has_begun and self.rule.is_on and turn in (None, scene.turn)


class Director:
    """One connection's director.

    Args:
        rules: The faults, in order.
        connection: Which connection to the server this is, counted from 1, refused ones too.
        now_s: When it began.
        auth_modes: In which ways the client came in.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        connection: int,
        now_s: float,
        auth_modes: Collection[AuthMode] = (),
    ) -> None:
        self._scene = Scene(connection=connection, began_s=now_s, auth_modes=auth_modes)
        self._casts: list[_Cast] = []
        self._reached = {Place.CONNECT}
        self._added: list[Rule] = []
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Act]] = []
        self._alarms: list[tuple[float, int, _Cast]] = []
        self._is_over = False
        for rule in rules:
            self._cast(rule, now_s)

    @property
    def next_due_s(self) -> float | None:
        """When `direct` should be called at the latest; None if nothing is planned."""
        if self._is_over:
            return None
        due = [plan[0][0] for plan in (self._queue, self._alarms) if plan]
        return min(due, default=None)

    def refuse(self) -> tuple[HTTPStatus, str] | None:
        """Returns the HTTP answer that replaces the upgrade, if there is one."""
        for cast in self._casts:
            if (answer := cast.fault.refuse()) and cast.rule.take():
                return answer
        return None

    def add(self, rule: Rule) -> None:
        """Switches a fault on in the running connection, from the next `direct` on.

        A moment that has passed and comes only once, such as `after-setup`, counts as come.
        """
        self._added.append(rule)

    def hear(self, message: ClientMessage, now_s: float) -> list[ClientMessage]:
        """Takes what the client says and returns what the session gets to hear of it."""
        self._join(now_s)
        if self._is_over:
            return []
        for place in self._scene.hear(message):
            self._reach(place, now_s)
        heard: list[ClientMessage] = [message]
        for cast in self._casts:
            if cast.is_on(self._scene):
                heard = list(self._heard_by(cast, heard, now_s))
        if self._queue and any(
            due <= now_s and isinstance(act, _FINAL) for due, _, act in self._queue
        ):
            return []
        return heard

    def _heard_by(
        self, cast: _Cast, messages: Iterable[ClientMessage], now_s: float
    ) -> Iterator[ClientMessage]:
        for message in messages:
            for result in cast.fault.hear(message, self._scene, now_s):
                if isinstance(result, (Later, *_OUTGOING)):
                    self._emit([result], now_s)
                else:
                    yield result

    def direct(self, effects: Iterable[Act], now_s: float) -> list[Act]:
        """Takes what the session wants done and returns what is to be done now, in order."""
        self._join(now_s)
        if not self._casts and not self._queue:
            return list(self._undisturbed(effects))
        while self._alarms and self._alarms[0][0] <= now_s:
            _, _, cast = heapq.heappop(self._alarms)
            if self._scene.holds(cast.rule.moment.place):
                self._strike(cast, now_s)
        for effect in effects:
            if not isinstance(effect, Work | Note):
                self._stage(effect, now_s)
                continue
            heapq.heappush(self._queue, (now_s, next(self._order), effect))
            for place in self._scene.observe(effect):
                self._reach(place, now_s)
        return list(self._due(now_s))

    def _undisturbed(self, effects: Iterable[Act]) -> Iterator[Act]:
        """What the session wants is what happens: no fault is on and nothing is held back."""
        for effect in effects:
            if self._is_over:
                return
            self._is_over = isinstance(effect, _FINAL)
            self._reached.update(self._scene.observe(effect))
            yield effect

    def _stage(
        self,
        act: Outgoing | Later,
        now_s: float,
        struck: frozenset[_Cast] = frozenset(),
    ) -> None:
        """Sends something, and then whatever strikes at it; `struck` have struck already."""
        places = self._scene.observe(act) if isinstance(act, Send) else []
        strikes = [strike for place in places for strike in self._struck_at(place, now_s, struck)]
        if isinstance(act, Send) and act.message.get("serverContent", {}).get("interrupted"):
            self._forget_speech(now_s)
        self._emit([act], now_s)
        for cast, acts in strikes:
            for following in acts:
                self._stage(following, now_s, struck | {cast})

    def _forget_speech(self, now_s: float) -> None:
        """Drops what a fault holds back of an answer that is interrupted."""
        self._queue = [item for item in self._queue if item[0] <= now_s or not _is_speech(item[2])]
        heapq.heapify(self._queue)

    def _due(self, now_s: float) -> Iterator[Act]:
        while self._queue and self._queue[0][0] <= now_s and not self._is_over:
            _, _, act = heapq.heappop(self._queue)
            self._is_over = isinstance(act, _FINAL)
            yield act

    def _emit(self, acts: Iterable[Outgoing | Later], now_s: float) -> None:
        """Passes what is to go out through every fault that is on."""
        timed = list(_timed(acts, now_s))
        for cast in self._casts:
            if cast.is_on(self._scene):
                timed = [
                    later
                    for at_s, act in timed
                    for later in _timed(cast.fault.send(act, self._scene, at_s), at_s)
                ]
        for at_s, act in timed:
            heapq.heappush(self._queue, (at_s, next(self._order), act))

    # Moments

    def _join(self, now_s: float) -> None:
        added, self._added = self._added, []
        for rule in added:
            if rule.concerns(self._scene.connection):
                self._cast(rule, now_s)

    def _cast(self, rule: Rule, now_s: float) -> None:
        if not rule.concerns(self._scene.connection):
            return
        cast = _Cast(rule, rule.fault.for_connection())
        self._casts.append(cast)
        moment = rule.moment
        if moment.place is Place.CLOCK:
            self._alarm(cast, max(now_s, self._scene.began_s + moment.after_s))
        elif moment.place in self._reached & PASSED_ONCE and not cast.fault.refuse():
            self._begin(cast, now_s)

    def _reach(self, place: Place, now_s: float) -> None:
        for cast, acts in self._struck_at(place, now_s, frozenset()):
            for act in acts:
                self._stage(act, now_s, frozenset({cast}))

    def _struck_at(
        self, place: Place, now_s: float, struck: frozenset[_Cast]
    ) -> list[tuple[_Cast, list[Outgoing | Later]]]:
        """Lets those strike whose moment this is; an own strike doesn't call for another."""
        self._reached.add(place)
        strikes = []
        for cast in self._casts:
            moment = cast.rule.moment
            if moment.place is not place or cast in struck or not self._is_turn(cast):
                continue
            if place is Place.SPEAKING:
                if self._scene.speech_s < moment.after_s or cast.spoken_turn == self._scene.turn:
                    continue
                cast.spoken_turn = self._scene.turn
            elif moment.after_s:
                self._alarm(cast, now_s + moment.after_s)
                continue
            strikes.append((cast, self._strikes(cast, now_s)))
        return strikes

    def _is_turn(self, cast: _Cast) -> bool:
        moment = cast.rule.moment
        if moment.turn is None or moment.place in PASSED_ONCE:
            return True
        before = moment.place in (Place.USER_SPEAKING, Place.TOOL_RESPONSE)
        return moment.turn == (self._scene.coming_turn if before else self._scene.turn)

    def _alarm(self, cast: _Cast, due_s: float) -> None:
        heapq.heappush(self._alarms, (due_s, next(self._order), cast))

    def _begin(self, cast: _Cast, now_s: float) -> None:
        if cast.rule.moment.after_s:
            self._alarm(cast, now_s + cast.rule.moment.after_s)
        else:
            self._strike(cast, now_s)

    def _strike(self, cast: _Cast, now_s: float) -> None:
        for act in self._strikes(cast, now_s):
            self._stage(act, now_s, frozenset({cast}))

    def _strikes(self, cast: _Cast, now_s: float) -> list[Outgoing | Later]:
        if not cast.rule.take():
            return []
        cast.has_begun = True
        return list(cast.fault.strike(self._scene, now_s))


def _timed(acts: Iterable[Outgoing | Later], now_s: float) -> Iterator[tuple[float, Outgoing]]:
    for act in acts:
        if isinstance(act, Later):
            yield now_s + act.delay_s, act.act
        else:
            yield now_s, act


def _is_speech(act: Act) -> bool:
    content = act.message.get("serverContent", {}) if isinstance(act, Send) else {}
    return bool(content.keys() & {"modelTurn", "outputTranscription", "generationComplete"})
