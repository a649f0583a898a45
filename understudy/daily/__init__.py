"""A local stand-in for Daily: its REST API, its rooms, and telephones that call them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.daily.guest import Guest
    from understudy.daily.phone import Phone
    from understudy.daily.server import DailyStandIn

__all__ = ["DailyStandIn", "Guest", "Phone"]


def __getattr__(name: str) -> Any:
    """Loads them when they are asked for: a bot's process needs `call_client` only."""
    if name == "DailyStandIn":
        from understudy.daily.server import DailyStandIn

        return DailyStandIn
    if name == "Guest":
        from understudy.daily.guest import Guest

        return Guest
    if name == "Phone":
        from understudy.daily.phone import Phone

        return Phone
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
