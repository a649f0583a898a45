"""The understudy: a local, wire-level stand-in for the Gemini Live API."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.rules import ScenarioError
    from understudy.server import Understudy

__all__ = ["ScenarioError", "Understudy"]


def __getattr__(name: str) -> Any:
    """Loads the rest when it is asked for: who wants `understudy.daily` only needs none of it."""
    if name == "Understudy":
        from understudy.server import Understudy

        return Understudy
    if name == "ScenarioError":
        from understudy.rules import ScenarioError

        return ScenarioError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
