"""Messages that no client should send, made from those that one may: the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

from bench import right_messages
from bench.right_messages import PCM

_T = TypeVar("_T")

_SHORT = 64
_DEEP = (10, 100, 1_000, 100_000)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, -1e-320, 10**30, 2**63, "", "\0", "\ud800", "x" * 5_000),
    *(float("nan"), reduce(lambda inner, _: [inner], range(300), [])),
    *("NaN", "Infinity", "1e999", "\u202e", [], {}, [[]], [None], {"": {}}, ["a", 1], "=====", "_"),
)
_ODD_NUMBERS = ("NaN", "-Infinity", "1e9999", "9" * 5_000, "-0", "01", "0x1", "1_000")
_ODD_NAMES = ("", "setup", "Setup", "realtime_input", "__class__", "turns", "x" * 300, "data", "\0")


class WrongMessages:
    """Makes them.

    Args:
        seed: The same seed makes the same messages.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._setups = right_messages.setups()
        self._valid = [*self._setups, *right_messages.messages()]
        self._texts = [json.dumps(message) for message in self._valid]
        self._kinds: tuple[Callable[[], str | bytes], ...] = (
            self._bytes,
            self._out_of_order,
            self._cut,
            self._flipped,
            self._spliced,
            self._wrong_value,
            self._wrong_value,
            self._wrong_name,
            self._wrong_number,
            self._two_in_one,
            self._broken_base64,
            self._odd_function,
            self._deep,
        )

    def next(self) -> str | bytes:
        """Returns the next message."""
        return self._random.choice(self._kinds)()

    def valid(self) -> str:
        """Returns a message that may come once a session is set up."""
        return self._random.choice(self._texts[len(self._setups) :])

    def setup(self, handle: str = "") -> str:
        """Returns one that sets a session up, or resumes that of a handle."""
        message = self._random.choice(self._setups)
        if handle:
            message = {"setup": {**message["setup"], "sessionResumption": {"handle": handle}}}
        return json.dumps(message)

    def pick(self, items: Sequence[_T]) -> _T:
        """Returns one of them."""
        return self._random.choice(items)

    def chance(self, share: float) -> bool:
        """Returns True in this share of cases."""
        return self._random.random() < share

    def _bytes(self) -> bytes:
        return self._random.randbytes(self._random.randrange(_SHORT))

    def _out_of_order(self) -> str:
        return self._random.choice(self._texts)

    def _cut(self) -> str:
        text = self._random.choice(self._texts)
        return text[: self._random.randrange(len(text))]

    def _flipped(self) -> bytes:
        data = bytearray(self._random.choice(self._texts).encode())
        for _ in range(self._random.randint(1, 4)):
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        return bytes(data)

    def _spliced(self) -> str:
        one, other = self._random.choice(self._texts), self._random.choice(self._texts)
        return one[: self._random.randrange(len(one))] + other[self._random.randrange(len(other)) :]

    def _wrong_value(self) -> str:
        parent, key = self._place()
        parent[key] = self._random.choice(_ODD_VALUES)
        return json.dumps(self._message)

    def _wrong_name(self) -> str:
        parent, _ = self._place(of=dict)
        name = self._random.choice(_ODD_NAMES)
        parent[name] = self._random.choice(_ODD_VALUES)
        return json.dumps(self._message)

    def _wrong_number(self) -> str:
        parent, key = self._place()
        parent[key] = "?number?"
        return json.dumps(self._message).replace('"?number?"', self._random.choice(_ODD_NUMBERS))

    def _two_in_one(self) -> str:
        return json.dumps({**self._random.choice(self._valid), **self._random.choice(self._valid)})

    def _broken_base64(self) -> str:
        data = PCM[: self._random.randrange(40)] + self._random.choice(("", "=", "*", "\n", "é"))
        kind = self._random.choice(
            ("audio/pcm", "audio/pcm;rate=0", "image/png", "audio/", "", "?")
        )
        return json.dumps({"realtimeInput": {"audio": {"data": data, "mimeType": kind}}})

    def _odd_function(self) -> str:
        """One that may be taken: what it declares comes back when the function is called."""
        odd = self._random.choice(_ODD_VALUES)
        given = self._random.choice(({"enum": [odd, odd]}, {"default": odd}, {"minimum": odd}))
        kind = self._random.choice(("number", "string", "array", "object", "boolean", odd))
        properties = {"a": {**given, "type": kind}, "b": {"enum": [{"c": odd}]}}
        schema = {"properties": properties, "required": ["a", "b"]}
        tools = [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]
        if self._random.random() < 0.5:
            return json.dumps({"contextUpdate": {"tools": {"tools": tools}}})
        setup = self._random.choice(self._setups)["setup"]
        return json.dumps({"setup": {**setup, "tools": tools}})

    def _deep(self) -> str:
        # The deepest is a hundred kilobytes, so it comes one time in sixteen of these.
        depth = self._random.choice(_DEEP[:3] * 5 + _DEEP[3:])
        if self._random.random() < 0.5:
            return "[" * depth + "]" * (depth if self._random.random() < 0.5 else 0)
        return '{"setup":' * depth + "1" + "}" * depth

    def _place(self, of: type = object) -> tuple[Any, Any]:
        """Copies a valid message to `_message` and returns a container in it, and a key of that."""
        self._message = json.loads(self._random.choice(self._texts))
        places = [
            place
            for place in _places(self._message)
            if isinstance(place[0], dict) or not issubclass(of, dict)
        ]
        return self._random.choice(places)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Returns every container with each of its keys."""
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    else:
        return []
    return [place for key, item in inner for place in [(value, key), *_places(item)]]
