"""Scenarios: a YAML file that says what is answered and what breaks at which moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from understudy.rules import Rule, ScenarioError, make_rule, read_option

_MOMENT = ("at", "after_ms", "after_s", "turn", "connection", "times")
_MAX_SAID = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """Something to say, or to call.

    Attributes:
        say: The words; "": there are none.
        call: A function to call first, with its arguments, as a user would type it; "": none.
        turn: Only as this answer of the conversation, from 1; None: as any.
        contains: Only if what the user wrote, or a function returned, holds one of these words;
            empty: whatever it holds.
        returned: Only to tell what one of these functions returned; empty: never to tell that.
    """

    say: str = ""
    turn: int | None = None
    contains: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    call: str = ""

    def fits(self, turn: int, text: str, functions: Collection[str]) -> bool:
        """Whether it answers this."""
        if self.turn not in (None, turn):
            return False
        if (self.returned or functions) and set(self.returned).isdisjoint(functions):
            return False
        written = text.casefold()
        return not self.contains or any(word.casefold() in written for word in self.contains)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file said.

    Attributes:
        lines: What to say; the first that fits is said.
        rules: What breaks.
    """

    lines: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = ()

    def answer(self, turn: int, text: str, *, functions: Collection[str] = ()) -> str | None:
        """Returns what to say instead of what was seen and heard, or None for that.

        Args:
            turn: Which answer of the conversation it is, from 1.
            text: What the user wrote, "" for speech; or what the functions returned.
            functions: The functions that returned something, if that is what is answered.
        """
        said = (line for line in self.lines if line.say)
        return next((line.say for line in said if line.fits(turn, text, functions)), None)

    def call(self, turn: int, text: str) -> str | None:
        """Returns what to call, as a user would type it, or None for what they did type.

        Args:
            turn: Which answer of the conversation it is, from 1.
            text: What the user wrote, "" for speech.
        """
        called = (line for line in self.lines if line.call)
        return next((line.call for line in called if line.fits(turn, text, ())), None)


def load_scenario(path: Path) -> Scenario:
    """Reads a scenario file.

    Raises:
        ScenarioError: What is wrong, where, and what to do, in one sentence.
        OSError: The file can't be read.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        return read_scenario(value)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ScenarioError(f"{path.name}{line}: this is no YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(
            f"{path.name}: this is no YAML text: {str(error).splitlines()[0]}"
        ) from None
    except RecursionError:
        raise ScenarioError(f"{path.name}: this is nested too deeply") from None
    except ScenarioError as error:
        raise ScenarioError(f"{path.name}: {error}") from None


def read_scenario(value: object) -> Scenario:
    """Reads what a scenario file holds.

    Raises:
        ScenarioError: What is wrong, where, and what to do, in one sentence.
    """
    if value is None:
        return Scenario()
    fields = _mapping(value, "a scenario", ("answers", "faults"))
    return Scenario(
        lines=tuple(_line(item, where) for item, where in _items(fields, "answers")),
        rules=tuple(_rule(item, where) for item, where in _items(fields, "faults")),
    )


def _items(fields: Mapping[str, Any], name: str) -> list[tuple[object, str]]:
    items = fields.get(name) or []
    if not isinstance(items, list):
        raise ScenarioError(f"{name} has to be a list: begin each entry with '- '")
    return [(item, f"{name}, entry {number}") for number, item in enumerate(items, 1)]


def _mapping(value: object, where: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    has = f"it has {', '.join(keys)}"
    if not isinstance(value, dict):
        raise ScenarioError(f"{where}: write it as 'key: value'; {has}")
    for key in value:
        if key not in keys:
            raise ScenarioError(f"{where}: there is no {key!r} here; {has}")
    return value


def _line(item: object, where: str) -> Line:
    if isinstance(item, str):
        item = {"say": item}
    fields = _mapping(item, where, ("say", "call", "turn", "contains", "returned"))
    say, call, turn = fields.get("say", ""), fields.get("call", ""), fields.get("turn")
    is_text = isinstance(say, str) and isinstance(call, str)
    if not is_text or bool(say.strip()) == bool(call.strip()) or len(say + call) > _MAX_SAID:
        raise ScenarioError(
            f"{where}: say has to be the words to say, at most {_MAX_SAID} letters, "
            "or call a function with its arguments"
        )
    is_count = isinstance(turn, int) and not isinstance(turn, bool) and turn >= 1
    if turn is not None and not is_count:
        raise ScenarioError(f"{where}: turn has to be a whole number from 1 on, not {turn!r}")
    contains, returned = (_words(fields, key, where) for key in ("contains", "returned"))
    if call and returned:
        raise ScenarioError(f"{where}: call is for what the user says; returned is for say")
    return Line(say.strip(), turn, contains, returned, call.strip())


def _words(fields: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = fields.get(key, [])
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ScenarioError(f"{where}: {key} has to be a word or a list of words")
    return tuple(words)


def _rule(item: object, where: str) -> Rule:
    try:
        if isinstance(item, str):
            return read_option(item)
        fields = _mapping(item, where, ("fault", "with", *_MOMENT))
        given = fields.get("with") or {}
        if not isinstance(given, dict):
            raise ScenarioError("with has to hold parameters, as 'name: value'")
        moment = {key: fields[key] for key in _MOMENT if key in fields}
        return make_rule(fields.get("fault", ""), parameters=given, moment=moment)
    except ScenarioError as error:
        text = str(error)
        raise ScenarioError(text if text.startswith(where) else f"{where}: {text}") from None
