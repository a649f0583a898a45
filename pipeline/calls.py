"""Function calls of the model across connections: each runs once and is answered once. Pure.

A connection that breaks takes the calls that wait for an answer with it. The function goes on; when
the question is asked again over the next connection and the model calls the same function with the
same arguments, it gets the result of the call that was made already.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Call:
    """One call of a function.

    Parameters:
        id: The id under which it was begun here.
        name: The function's name.
        arguments: What it was called with, as canonical JSON.
        answer_to: The id that the model waits for; None: the connection that called is gone.
        response: What it returned; None while it runs.
    """

    id: str
    name: str
    arguments: str
    answer_to: str | None
    response: Mapping[str, Any] | None = None


class Calls:
    """The calls of the exchange that is under way."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    @property
    def is_any_awaited(self) -> bool:
        """Whether the model waits for a result over the connection that there is."""
        return any(c.response is None and c.answer_to is not None for c in self._calls.values())

    @property
    def is_any(self) -> bool:
        """Whether a function was called in this exchange."""
        return bool(self._calls)

    def called(self, call_id: str, name: str, arguments: Mapping[str, Any]) -> Call | None:
        """Takes a call.

        Returns:
            The call of a former connection that it repeats, if there is one: then nothing is to be
            run. Its `response` is None while that one is still running.
        """
        canonical = json.dumps(arguments, sort_keys=True, default=str)
        for call in self._calls.values():
            if call.answer_to is None and (call.name, call.arguments) == (name, canonical):
                call.answer_to = call_id
                return call
        self._calls[call_id] = Call(call_id, name, canonical, answer_to=call_id)
        return None

    def returned(self, call_id: str, response: Mapping[str, Any]) -> str | None:
        """Takes a result.

        Returns:
            The id that the model waits for it under; None: nobody does at the moment.
        """
        call = self._calls.get(call_id)
        if call is None:
            return call_id
        call.response = response
        return call.answer_to

    def cancelled(self, ids: Iterable[str]) -> list[str]:
        """Takes a cancellation by the model.

        Returns:
            The ids under which the functions were begun here.
        """
        gone = [call.id for call in self._calls.values() if call.answer_to in set(ids)]
        for call_id in gone:
            del self._calls[call_id]
        return gone

    def connection_lost(self) -> None:
        """Nobody waits for the results now."""
        for call in self._calls.values():
            call.answer_to = None

    def settled(self) -> list[str]:
        """Forgets all calls: the exchange is complete.

        Returns:
            The ids of those that still run although nobody has asked for them again.
        """
        orphans = [call.id for call in self._calls.values() if call.response is None]
        self._calls.clear()
        return orphans
