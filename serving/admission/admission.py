"""Which calls are taken. Pure: requests and the time in, reservations and refusals out.

A slot is reserved when a call is accepted, leased when it begins and released when its process is
gone. What was reserved and never began is free again after a while.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

RESERVED_S = 60.0
"""How long an accepted call may take to begin: as long as its session id may be used."""

LOADING_S = 5.0
"""How long it takes until a session that has begun is in the measured load."""


class Why(StrEnum):
    """Why a call is refused."""

    FULL = "full"
    DRAINING = "draining"
    CLIENT = "client"
    CALLER = "caller"
    NUMBER = "number"
    MODEL_KEY = "model_key"
    OWN_KEY = "own_key"


class Refusal(Exception):
    """A call is not taken.

    Parameters:
        why: For programs.
        sentence: For people.
        retry_after_s: When to try again, in seconds.
    """

    def __init__(self, why: Why, sentence: str, *, retry_after_s: int):
        super().__init__(sentence)
        self.why, self.sentence, self.retry_after_s = why, sentence, retry_after_s

    @property
    def status(self) -> int:
        """As HTTP has it: what the server can't is 503, what this caller has used up is 429."""
        return 503 if self.is_for_all else 429

    @property
    def is_for_all(self) -> bool:
        """Whether anybody else would be refused too."""
        return self.why not in (Why.CLIENT, Why.CALLER, Why.NUMBER, Why.OWN_KEY)


@dataclass(frozen=True, kw_only=True)
class CallRequest:
    """A call that asks to be taken.

    Parameters:
        session_id: Its session; the same one asks for the same lease.
        client: The address that it comes from; None: it comes by telephone.
        caller: Who is calling, by key or token; None: nobody was asked.
        number: The telephone number that calls, or is called; None: none is known.
        model_key: What tells the keys to the model apart; never the key itself.
        has_own_key: Whether it is the caller's, and not the server's.
    """

    session_id: str
    client: str | None = None
    caller: str | None = None
    number: str | None = None
    model_key: str = ""
    has_own_key: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many sessions at a time; None: no limit of that kind.

    Parameters:
        per_client: From one address.
        per_caller: With one key.
        per_number: From one telephone number, or to it.
        per_model_key: With one key to the model, whose service has a limit of its own.
    """

    per_client: int | None = None
    per_caller: int | None = None
    per_number: int | None = None
    per_model_key: int | None = None


@dataclass
class _Slot:
    request: CallRequest
    reserved_s: float
    leased_s: float | None = None


class Admission:
    """The slots of one server.

    Args:
        limits: For clients and keys.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._slots: dict[str, _Slot] = {}
        self.is_draining = False

    @property
    def running(self) -> int:
        """Slots that are taken: reserved or leased."""
        return len(self._slots)

    @property
    def leased(self) -> int:
        """Slots whose session has begun."""
        return sum(slot.leased_s is not None for slot in self._slots.values())

    def loading(self, *, now_s: float) -> int:
        """Slots that what is measured does not show yet."""
        return sum(
            slot.leased_s is None or now_s - slot.leased_s < LOADING_S
            for slot in self._slots.values()
        )

    def reserve(self, request: CallRequest, *, free: int, now_s: float) -> None:
        """Accept a call; one that is accepted already stays so.

        Args:
            request: The call.
            free: How many more sessions the machine can carry.
            now_s: The time.

        Raises:
            Refusal: When it can't be taken now.
        """
        if request.session_id in self._slots:
            return
        if refusal := self._refusal(request, free=free):
            raise refusal
        self._slots[request.session_id] = _Slot(request, now_s)

    def lease(self, session_id: str, *, now_s: float) -> bool:
        """Begin a session.

        Returns:
            Whether it may begin: False when it has begun already, or has no slot.
        """
        slot = self._slots.get(session_id)
        if slot is None or slot.leased_s is not None:
            return False
        slot.leased_s = now_s
        return True

    def release(self, session_id: str) -> None:
        """Free a slot; one that is free already stays so."""
        self._slots.pop(session_id, None)

    def expire(self, *, now_s: float) -> list[str]:
        """Free what was reserved and has not begun in time.

        Returns:
            Those sessions.
        """
        late = [
            session_id
            for session_id, slot in self._slots.items()
            if slot.leased_s is None and now_s - slot.reserved_s > RESERVED_S
        ]
        for session_id in late:
            del self._slots[session_id]
        return late

    def _refusal(self, request: CallRequest, *, free: int) -> Refusal | None:
        if self.is_draining:
            return Refusal(
                Why.DRAINING, "The server is closing; please try again soon.", retry_after_s=5
            )
        taken = [slot.request for slot in self._slots.values()]
        limits = self._limits
        for why, limit, used, of_whom in (
            (
                Why.CALLER,
                limits.per_caller if request.caller else None,
                Counter(one.caller for one in taken)[request.caller],
                "with this key",
            ),
            (
                Why.CLIENT,
                limits.per_client if request.client else None,
                Counter(one.client for one in taken)[request.client],
                "from your address",
            ),
            (
                Why.NUMBER,
                limits.per_number if request.number else None,
                Counter(one.number for one in taken)[request.number],
                "with this number",
            ),
        ):
            if limit is not None and used >= limit:
                sentence = f"There are {used} calls {of_whom} already; end one of them first."
                return Refusal(why, sentence, retry_after_s=30)
        with_key = sum(one.model_key == request.model_key for one in taken)
        if limits.per_model_key is not None and with_key >= limits.per_model_key:
            if request.has_own_key:
                return Refusal(
                    Why.OWN_KEY,
                    f"There are {with_key} calls with your Gemini API key already; "
                    "end one of them first.",
                    retry_after_s=30,
                )
            return Refusal(
                Why.MODEL_KEY,
                "All lines to the model are busy; please try again in a minute.",
                retry_after_s=60,
            )
        if free < 1:
            return Refusal(
                Why.FULL, "All lines are busy; please try again in a minute.", retry_after_s=30
            )
        return None
