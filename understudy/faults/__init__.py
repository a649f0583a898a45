"""The faults, by name. A new one is a file here: `close_x.py` is found as `close-x`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import Field, fields

from understudy.faults.base import Fault


def _in_module(name: str) -> type[Fault]:
    module = importlib.import_module(f"{__name__}.{name}")
    (fault,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Fault)
        and value.__module__ == module.__name__
    )
    return fault


FAULTS: dict[str, type[Fault]] = {
    module.name.replace("_", "-"): _in_module(module.name)
    for module in pkgutil.iter_modules(__path__)
    if module.name != "base"
}

__all__ = ["FAULTS", "Fault", "documentation", "parameters"]


def documentation(fault: type[Fault]) -> str:
    """Returns what happens, in one line."""
    return (inspect.getdoc(fault) or "").splitlines()[0]


def parameters(fault: type[Fault]) -> tuple[Field[object], ...]:
    """Returns the fields that can be given."""
    return tuple(field for field in fields(fault) if field.init)
