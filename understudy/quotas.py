"""How much one key may have at a time: open sessions, and tokens a minute. Pure.

Vendor documentation: the Live API limits both, by project and not by key; of a project the
understudy knows no more than the key.
"""

from __future__ import annotations

from collections import Counter, deque

from understudy.errors import QUOTA_EXCEEDED, ProtocolError

MINUTE_S = 60.0


class Quotas:
    """What every key has open and has spent.

    Args:
        max_sessions: How many sessions of a key may be open at once; None: any number.
        tokens_per_minute: How many tokens its turns may cost in any minute before the next is
            refused; None: any number.
        minute_s: How long that minute lasts, in seconds.
    """

    def __init__(
        self,
        *,
        max_sessions: int | None = None,
        tokens_per_minute: int | None = None,
        minute_s: float = MINUTE_S,
    ) -> None:
        self._max_sessions = max_sessions
        self._tokens_per_minute = tokens_per_minute
        self._minute_s = minute_s
        self._open: Counter[str] = Counter()
        self._spent: dict[str, deque[tuple[float, int]]] = {}

    def account(self, key: str) -> Account:
        """Returns what one session of a key is charged to."""
        return Account(self, key)

    def takes_session(self, key: str, now_s: float) -> bool:
        """Whether another session of this key may begin."""
        is_full = self._max_sessions is not None and self._open[key] >= self._max_sessions
        return not is_full and self.takes_turn(key, now_s)

    def takes_turn(self, key: str, now_s: float) -> bool:
        """Whether another turn of this key may begin."""
        if self._tokens_per_minute is None or key not in self._spent:
            return True
        spent = self._spent[key]
        while spent and spent[0][0] <= now_s - self._minute_s:
            spent.popleft()
        return sum(tokens for _, tokens in spent) < self._tokens_per_minute

    def open(self, key: str, now_s: float) -> None:
        """Takes note of a session, and forgets the keys that have none and spent nothing lately."""
        self._open[key] += 1
        for idle in [other for other in self._spent if self._is_idle(other, now_s)]:
            del self._spent[idle]

    def close(self, key: str) -> None:
        """Takes note of the end of a session."""
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def spend(self, key: str, tokens: int, now_s: float) -> None:
        """Takes note of what a turn has cost."""
        if self._tokens_per_minute is not None:
            self._spent.setdefault(key, deque()).append((now_s, tokens))

    def _is_idle(self, key: str, now_s: float) -> bool:
        spent = self._spent[key]
        is_past = not spent or spent[-1][0] <= now_s - self._minute_s
        return is_past and key not in self._open


class Account:
    """What one session costs its key; made by `Quotas.account`."""

    def __init__(self, quotas: Quotas, key: str) -> None:
        self._quotas = quotas
        self._key = key
        self._is_open = False

    def open(self, now_s: float) -> None:
        """Begins the session.

        Raises:
            ProtocolError: 1011; the key has as many open as it may, or has spent too much.
        """
        if not self._quotas.takes_session(self._key, now_s):
            raise ProtocolError(1011, QUOTA_EXCEEDED)
        self._quotas.open(self._key, now_s)
        self._is_open = True

    def check(self, now_s: float) -> None:
        """Asks whether a turn may begin.

        Raises:
            ProtocolError: 1011; the key has spent too much in the last minute.
        """
        if not self._quotas.takes_turn(self._key, now_s):
            raise ProtocolError(1011, QUOTA_EXCEEDED)

    def spend(self, tokens: int, now_s: float) -> None:
        """Charges a turn."""
        self._quotas.spend(self._key, tokens, now_s)

    def close(self) -> None:
        """Ends the session; once is enough."""
        if self._is_open:
            self._is_open = False
            self._quotas.close(self._key)
