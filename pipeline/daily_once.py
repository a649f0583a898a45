"""Daily's library is begun once in a process.

A second `Daily.init()` aborts Python (daily-python 0.36: a panic in Rust). Pipecat 1.14 calls it for
the first `DailyTransport` of a process; here a second one, whoever calls it, does nothing.
"""

from typing import Any


class _Once:
    """Stands before `daily.Daily`, which can't be changed or derived from."""

    def __init__(self, library: Any):
        self._library = library
        self._is_begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Begin the library, the first time."""
        if not self._is_begun:
            self._is_begun = True
            self._library.init(*args, **kwargs)


def use_daily_once() -> None:
    """Let only the first `Daily.init()` through; to be called before it."""
    import daily
    from pipecat.transports.daily import transport

    modules: tuple[Any, ...] = (daily, transport)
    if not isinstance(daily.Daily, _Once):
        once = _Once(daily.Daily)
        for module in modules:
            module.Daily = once
