"""Function calls under way: who waits for what, and what becomes of a response. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from understudy.effects import Outbox
from understudy.errors import invalid, refused
from understudy.messages import FunctionResult
from understudy.profiles import Profile
from understudy.tools import Call, shortened

MAX_OPEN = 256
"""Calls of one session without a response; the oldest are forgotten beyond."""


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    blocks: bool


class OpenCalls:
    """The calls of a session that have not been answered yet.

    Args:
        profile: How ids look, and what becomes of responses that nobody waits for.
        new_number: Makes the number in a call's id.
        outbox: Takes the effects.
    """

    def __init__(self, profile: Profile, *, new_number: Callable[[], int], outbox: Outbox) -> None:
        self._profile = profile
        self._new_number = new_number
        self._outbox = outbox
        self._open: dict[str, _Open] = {}
        self._results: list[FunctionResult] = []

    @property
    def is_any_open(self) -> bool:
        """Whether a response is still expected."""
        return bool(self._open)

    @property
    def is_blocked(self) -> bool:
        """Whether the model waits for a response before it goes on."""
        return any(call.blocks for call in self._open.values())

    def send(self, calls: Sequence[Call]) -> None:
        """Calls functions, all in one message as the service does."""
        shown: list[dict[str, Any]] = []
        for call in calls:
            number, prefix = self._new_number(), self._profile.call_id_prefix
            key = f"{prefix}{number}"
            self._open[key] = _Open(call.function.name, call.function.blocks)
            message = {"name": call.function.name, "args": dict(call.args)}
            shown.append({**message, "id": key} if prefix else message)
            self._outbox.note("tool_call", **shown[-1], blocking=call.function.blocks)
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        self._outbox.send({"toolCall": {"functionCalls": shown}})

    def take(self, results: Sequence[FunctionResult]) -> list[FunctionResult]:
        """Takes the client's responses.

        A response to something unknown is ignored (gemini-3.8-live was seen to) or refused,
        as the profile says.

        Returns:
            The results to tell, with the functions' own names; none while a blocking call is
            still open beside the one that returned.

        Raises:
            ProtocolError: 1007 for a response without an id where calls have one; 1008 for an
                unknown one where that is fatal.
        """
        ready, unknown = [], []
        for result in results:
            key = self._key(result)
            call = self._open.get(key) if key is not None else None
            if key is None or call is None:
                unknown.append(result.id)
                continue
            result = replace(result, name=call.name, response=shortened(result.response))
            if call.blocks or not result.will_continue:
                del self._open[key]
            if call.blocks:
                self._results.append(replace(result, will_continue=False))
            else:
                ready.append(result)
        note: dict[str, object] = {"ids": [result.id for result in results]}
        self._outbox.note("tool_response", **note, **({"unknown": unknown} if unknown else {}))
        if unknown and self._profile.refuses_unknown_calls:
            raise refused("Requested entity was not found.")
        return ready

    def take_blocking_results(self) -> list[FunctionResult]:
        """Returns what the blocking calls returned, once all have; else nothing."""
        if self.is_blocked:
            return []
        results, self._results = self._results, []
        return results

    def cancel(self) -> None:
        """Cancels the blocking calls: the user has gone on to something else."""
        keys = [key for key, call in self._open.items() if call.blocks]
        self._results.clear()
        for key in keys:
            del self._open[key]
        if not keys:
            return
        self._outbox.note("tool_call_cancelled", ids=keys)
        if self._profile.call_id_prefix:
            self._outbox.send({"toolCallCancellation": {"ids": keys}})

    def _key(self, result: FunctionResult) -> str | None:
        if result.id:
            return result.id
        if self._profile.call_id_prefix:
            raise invalid()
        return next((key for key, call in self._open.items() if call.name == result.name), None)
