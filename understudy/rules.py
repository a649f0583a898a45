"""Which fault at which moment and how often: what a person writes, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from understudy.acts import can_close_with
from understudy.faults import FAULTS, Fault, parameters
from understudy.moments import PASSED_ONCE, Moment, Place


class ScenarioError(ValueError):
    """What was asked for makes no sense; the message is one sentence that says what to do."""


@dataclass(slots=True, eq=False)
class Rule:
    """A fault that is switched on.

    Attributes:
        name: The fault's name.
        fault: The fault with its parameters; each connection makes its own of it.
        moment: When it strikes.
        times: How often in all connections together; None: always.
        is_on: False once it was switched off.
    """

    name: str
    fault: Fault
    moment: Moment
    times: int | None = None
    is_on: bool = True
    _struck: int = field(default=0, init=False)

    def concerns(self, connection: int) -> bool:
        """Whether a connection, counted from 1, can be struck."""
        return self.is_on and self.moment.connection in (None, connection)

    def take(self) -> bool:
        """Counts a strike; False when there have been enough."""
        if not self.is_on or (self.times is not None and self._struck >= self.times):
            return False
        self._struck += 1
        return True

    def describe(self) -> dict[str, Any]:
        """Returns what is on, as JSON."""
        values = {f.name: getattr(self.fault, f.name) for f in parameters(type(self.fault))}
        moment = {
            "at": str(self.moment.place),
            "after_ms": round(self.moment.after_s * 1000),
            "turn": self.moment.turn,
            "connection": self.moment.connection,
            "times": self.times or "always",
        }
        return {"name": self.name, "parameters": values, "moment": moment, "struck": self._struck}


_WHEN = ("at", "after_ms", "after_s", "turn", "connection", "times")


def read_option(text: str) -> Rule:
    """Reads `NAME[:param=value,...]`; the moment is given among the parameters.

    Raises:
        ScenarioError: There is no such fault, parameter or moment.
    """
    name, _, rest = text.partition(":")
    given: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ScenarioError(f"fault {name}: write parameters as name=value, not {pair!r}")
        given[key.strip()] = value.strip()
    moment = {key: given.pop(key) for key in _WHEN if key in given}
    return make_rule(name.strip(), parameters=given, moment=moment)


def make_rule(
    name: str, *, parameters: Mapping[str, Any] | None = None, moment: Any = None
) -> Rule:
    """Makes a rule of what a person wrote.

    Args:
        name: The fault.
        parameters: Its parameters; numbers may be written as text.
        moment: A place such as `speaking`, or a mapping of `at`, `after_ms`, `after_s`, `turn`,
            `connection` and `times`. What is missing is the fault's own.

    Raises:
        ScenarioError: There is no such fault, parameter or moment, or a value is of no use.
    """
    where = f"fault {name}"
    kind = _choose(FAULTS, name, "there is no fault", "understudy/SCENARIOS.md lists them")
    fault = _build(kind, parameters or {}, where)
    when = {"at": moment} if isinstance(moment, str) else moment or {}
    if not isinstance(when, Mapping):
        raise ScenarioError(f"{where}: a moment is a word or a mapping, such as 'at: speaking'")
    for key in when:
        if key not in _WHEN:
            raise ScenarioError(f"{where}: a moment has {', '.join(_WHEN)}, not {key!r}")
    return Rule(name, fault, _moment(kind, when, where), _times(when.get("times"), where))


def _choose(options: Mapping[str, Any], name: object, what: str, advice: str) -> Any:
    if isinstance(name, str) and name in options:
        return options[name]
    near = get_close_matches(str(name), options, 1)
    advice = f"did you mean {near[0]!r}?" if near else advice
    raise ScenarioError(f"{what} {name!r}: {advice}")


def _build(kind: type[Fault], given: Mapping[str, Any], where: str) -> Fault:
    known = {field.name: field for field in parameters(kind)}
    for key in given:
        if key not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ScenarioError(f"{where} has no parameter {key!r}; {has}")
    values = {key: _value(known[key], value, where) for key, value in given.items()}
    for key, one in known.items():
        if key not in values and one.default is MISSING and one.default_factory is MISSING:
            raise ScenarioError(f"{where} needs the parameter {key!r}")
    code = values.get("code")
    if isinstance(code, int) and not can_close_with(code):
        raise ScenarioError(f"{where}: no connection can be closed with the code {code}")
    try:
        return kind(**values)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from None


def _value(known: Field[object], value: object, where: str) -> object:
    kind = str(known.type)
    try:
        match kind, value:
            case ("str", _):
                return str(value)
            case ("bool", bool()):
                return value
            case ("bool", "true" | "false"):
                return value == "true"
            case (("int" | "float"), (int() | float() | str())) if not isinstance(value, bool):
                number = float(value)
                if not 0 <= number < 1e9:
                    raise ValueError
                if kind == "float":
                    return number
                if number == int(number):
                    return int(number)
    except ValueError:
        pass
    words = {"int": "a whole number from 0 on", "float": "a number from 0 on"}
    needed = words.get(kind, "true or false")
    raise ScenarioError(f"{where}: {known.name} has to be {needed}, not {value!r}")


def _moment(kind: type[Fault], when: Mapping[str, Any], where: str) -> Moment:
    own = kind.moment
    place = own.place
    if "at" in when:
        advice = f"there are {', '.join(Place)}"
        places = {str(place): place for place in Place}
        place = _choose(places, when["at"], f"{where}: there is no moment", advice)
    turn = _count(when.get("turn"), "turn", where)
    strikes = kind.strike is not Fault.strike
    if turn is not None and "at" not in when and strikes and place in PASSED_ONCE:
        place = Place.TURN
    later = _number(when.get("after_ms"), "after_ms", where) / 1000
    later += _number(when.get("after_s"), "after_s", where)
    has_delay = "after_ms" in when or "after_s" in when
    after_s = later if has_delay else own.after_s if place is own.place else 0.0
    connection = _count(when.get("connection"), "connection", where)
    refuses = kind.refuse is not Fault.refuse
    if refuses and (place is not Place.CONNECT or after_s or turn):
        raise ScenarioError(f"{where} can only be at connect: it answers the upgrade")
    return replace(own, place=place, after_s=after_s, turn=turn, connection=connection)


def _times(value: object, where: str) -> int | None:
    if value == "once":
        return 1
    return None if value in (None, "always") else _count(value, "times", where)


def _count(value: object, name: str, where: str) -> int | None:
    if value is None:
        return None
    number = _number(value, name, where)
    if number < 1 or number != int(number):
        raise ScenarioError(f"{where}: {name} has to be a whole number from 1 on, not {value!r}")
    return int(number)


def _number(value: object, name: str, where: str) -> float:
    if value is None:
        return 0.0
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            number = float(value)
            if 0 <= number < 1e9:
                return number
    except ValueError:
        pass
    raise ScenarioError(f"{where}: {name} has to be a number from 0 on, not {value!r}")
