"""Functions: which are declared, which of them a text calls, and with which arguments. Pure.

There is no model here that could want to call something, so the user's words decide: typing a
declared function's name calls it. Everything else follows from the declaration alone, so the
same words always give the same call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any, TypeGuard

from understudy.errors import invalid
from understudy.messages import FunctionResult
from understudy.profiles import Profile
from understudy.usage import text_tokens

SAMPLE_TEXT = "example"
"""A string argument for which the user typed nothing."""
MAX_TEXT = 4_000
MAX_DECLARED = 20_000
"""Names and texts in a list of tools of which the tokens are counted."""
MAX_FUNCTIONS = 512
"""Beyond these a client could keep the event loop busy with one typed message."""
_MAX_DEPTH = 8
"""How deep arguments are made up; a schema given as JSON may be nested without end."""
_NAMED = re.compile(r"(?<!\S)(\w+)=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_LEADING = re.compile(r"^[\s:,.()]*(?:(?:for|in|of|with|to|at|on|from)\s+)?", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][\w:.-]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
"""LiveKit's plugin writes `<instructions>` around what it asks for: such tags are no words."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
SCHEDULINGS = ("INTERRUPT", "WHEN_IDLE", "SILENT")


@dataclass(frozen=True, slots=True)
class Function:
    """A declared function.

    Attributes:
        name: As declared.
        blocks: Whether the model waits for its result (`BLOCKING`).
        parameters: Its parameters as a JSON schema; type names in either case.
    """

    name: str
    blocks: bool
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what to call it with."""

    function: Function
    args: Mapping[str, Any]


def read_functions(tools: Sequence[Mapping[str, Any]], profile: Profile) -> tuple[Function, ...]:
    """Reads the declarations of a normalised `Tool` list.

    Raises:
        ProtocolError: 1007; the model doesn't know such a behaviour, or a name is missing.
    """
    return tuple(
        _read_function(declaration, profile)
        for tool in tools
        for declaration in tool.get("functionDeclarations", ())
    )


def declared_tokens(tools: Sequence[Mapping[str, Any]]) -> int:
    """Returns an estimate of what a normalised `Tool` list costs: all its names and texts."""
    return text_tokens("".join(islice(_texts(tools), MAX_DECLARED)))


def _texts(value: object) -> Iterator[str]:
    """Yields what JSON consists of, "" for its containers; a nested one takes no recursion."""
    levels: list[Iterator[object]] = [iter((value,))]
    while levels:
        for item in levels[-1]:
            if isinstance(item, dict):
                levels.append(chain.from_iterable(item.items()))
            elif _is_list(item):
                levels.append(iter(item))
            else:
                yield "" if item is None else str(item)
                continue
            yield ""
            break
        else:
            levels.pop()


def _read_function(declaration: Mapping[str, Any], profile: Profile) -> Function:
    behaviour = declaration.get("behavior", "UNSPECIFIED")
    if behaviour == "UNSPECIFIED":
        behaviour = profile.function_behaviours[0]
    if behaviour not in profile.function_behaviours:
        raise invalid(f"{behaviour} function calls are not supported for this model")
    if not declaration.get("name"):
        raise invalid()
    parameters = declaration.get("parameters") or declaration.get("parametersJsonSchema")
    return Function(
        declaration["name"],
        behaviour == "BLOCKING",
        parameters if isinstance(parameters, dict) else {},
    )


def requested(text: str, functions: Sequence[Function]) -> tuple[Call, ...]:
    """Returns the calls that a typed text asks for, in the order of the names in it.

    Args:
        text: What the user typed, of which the first 4,000 characters count, and markup tags
            don't. What follows a name, up to the next, is for its arguments.
        functions: What is declared, of which the first 512 count; of two with one name the first.
    """
    text = _TAG.sub(" ", text[:MAX_TEXT])
    lowered = text.lower()
    found: dict[int, tuple[int, Function]] = {}
    for function in functions[:MAX_FUNCTIONS]:
        if function.name.lower() not in lowered:
            continue
        name = rf"(?<![\w.:-]){re.escape(function.name)}(?![\w-]|[.:]\w)"
        if match := re.search(name, text, re.IGNORECASE):
            found.setdefault(match.start(), (match.end(), function))
    calls = []
    for start, following in pairwise([*sorted(found), len(text)]):
        end, function = found[start]
        calls.append(Call(function, arguments(function.parameters, text[end:following])))
    return tuple(calls)


def arguments(parameters: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Makes arguments from a schema: the required ones, and those written as `name=value`.

    Strings are the rest of the text (the first of them), numbers the first number in it, an
    enumeration its first value; where the text has nothing, the schema's default or example, or
    a sample.
    """
    properties = _mapping(parameters.get("properties"))
    named = {
        name: next((value for value in values if value), "")
        for name, *values in _NAMED.findall(text)
        if name in properties
    }
    rest = _Rest(_NAMED.sub(lambda m: "" if m[1] in named else m[0], text))
    required = parameters.get("required")
    wanted = [name for name in required if isinstance(name, str)] if _is_list(required) else []
    result: dict[str, Any] = {}
    for name in dict.fromkeys([*wanted, *named]):
        schema = _mapping(properties.get(name))
        result[name] = (
            _convert(named[name], schema) if name in named else _make(schema, rest, depth=0)
        )
    return result


def describe(results: Sequence[FunctionResult]) -> str:
    """Says truthfully what came back from which functions."""
    return " ".join(f"{result.name} {_outcome(result)}." for result in results)


def shortened(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns a response with no more in it than is told of it: many may wait to be told."""
    asked = response.get("scheduling")
    kept = {"scheduling": asked} if asked in SCHEDULINGS else {}
    return {**kept, **{name: _say(value) for name, value in _essence(response).items()}}


def scheduling(result: FunctionResult) -> str:
    """Returns when a result is to be told: the field, or the same inside `response`.

    Vendor documentation: WHEN_IDLE unless something else is asked for.
    """
    inside = result.response.get("scheduling")
    for asked in (result.scheduling, inside):
        if asked in SCHEDULINGS:
            return str(asked)
    return "WHEN_IDLE"


class _Rest:
    """What was typed after a function's name; used up by the first string that needs it."""

    def __init__(self, text: str) -> None:
        self._text = _LEADING.sub("", " ".join(text.split())).rstrip(" ?!.,;:)")

    def take_text(self) -> str:
        text, self._text = self._text, ""
        return text

    def take_number(self) -> float | None:
        match = _NUMBER.search(self._text)
        if match is None:
            return None
        self._text = f"{self._text[: match.start()]} {self._text[match.end() :]}".strip()
        return float(match[0])


def _make(schema: Mapping[str, Any], rest: _Rest, *, depth: int) -> Any:
    """Makes up a value: from the text, the schema's own, or a sample."""
    if choices := schema.get("enum"):
        return choices[0] if _is_list(choices) else SAMPLE_TEXT
    if depth > _MAX_DEPTH:
        return None
    kind = _kind(schema)
    own = schema.get("default", schema.get("example"))
    if kind in ("number", "integer"):
        number = rest.take_number()
        if number is None:
            number = own if own is not None else schema.get("minimum", 1)
        return _number(number, kind)
    if kind == "boolean":
        return own if isinstance(own, bool) else True
    if kind == "array":
        return [_make(_mapping(schema.get("items")), rest, depth=depth + 1)]
    if kind == "object":
        required = schema.get("required")
        properties = _mapping(schema.get("properties"))
        return {
            name: _make(_mapping(properties.get(name)), rest, depth=depth + 1)
            for name in (required if _is_list(required) else ())
            if isinstance(name, str)
        }
    return rest.take_text() or (own if isinstance(own, str) and own else SAMPLE_TEXT)


def _convert(text: str, schema: Mapping[str, Any]) -> Any:
    kind = _kind(schema)
    if kind in ("number", "integer"):
        return _number(text, kind)
    if kind == "boolean":
        return text.lower() not in ("false", "no", "0", "off")
    if kind == "array":
        return [_convert(piece, _mapping(schema.get("items"))) for piece in text.split(",")]
    return text


def _number(value: Any, kind: str) -> float | int:
    match = _NUMBER.fullmatch(str(value))
    number = float(match[0][:18]) if match else 1.0  # within 64 bits
    return int(number) if kind == "integer" or number.is_integer() else number


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if _is_list(kind):  # JSON schema: ["string", "null"]
        kind = next((name for name in kind if name != "null"), None)
    if isinstance(kind, str) and kind.upper() != "TYPE_UNSPECIFIED":
        return kind.lower()
    return "object" if "properties" in schema else "string"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _outcome(result: FunctionResult) -> str:
    ((kind, value),) = _essence(result.response).items()
    said = _say(value)
    if kind == "error":
        return f"failed: {said}"
    if not said:
        return "is still running" if result.will_continue else "has finished"
    return f"returned {said}"


def _essence(response: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `error` or `output` with its value.

    Vendor documentation: `error` tells of a failure, `output` (or everything) is the result.
    """
    response = {name: value for name, value in response.items() if name != "scheduling"}
    for name in ("error", "output"):
        if name in response:
            return {name: response[name]}
    return {"output": response["result"] if set(response) == {"result"} else response}


def _say(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        said = value
    elif depth > _MAX_DEPTH:
        said = "more"
    elif isinstance(value, dict):
        said = ", ".join(
            f"{name} {_say(item, depth + 1)}" for name, item in list(value.items())[:20]
        )
    elif _is_list(value):
        said = ", ".join(_say(item, depth + 1) for item in list(value)[:20])
    elif value is None:
        said = "nothing" if depth else ""
    else:
        said = str(value).lower() if isinstance(value, bool) else str(value)
    said = " ".join(said.split()).rstrip(" .")
    return said if len(said) <= 120 else f"{said[:120]}, and so on"
