"""How a variable that sets something is written down: its name, what it must be, an example. Pure."""

from typing import Any

from pydantic import Field


def variable(name: str, default: Any, must_be: str, example: str, **limits: Any) -> Any:
    """A setting by its variable's name, what it must be (in words), and an example."""
    return Field(default, alias=name, description=must_be, examples=[example], **limits)


def parts(value: str | None) -> list[str]:
    """What stands between the commas of a value."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def pairs(value: str | None) -> list[tuple[str, str]]:
    """The `name=what` between the commas of a value."""
    split = [part.partition("=") for part in parts(value)]
    return [(name.strip(), what.strip()) for name, _, what in split]
