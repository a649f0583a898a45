"""The command: `python -m understudy.daily`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence

from understudy.daily.server import DailyStandIn


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="understudy.daily", description="A local stand-in for Daily."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8445, help="port; 0: any free")
    parser.add_argument(
        "--api-key",
        default=os.environ.get("DAILY_API_KEY") or "stand-in",
        help="the only API key taken; default: DAILY_API_KEY, or `stand-in`",
    )
    parser.add_argument(
        "--hmac",
        default=os.environ.get("DAILY_PINLESS_HMAC_SECRET"),
        help="what calls are signed with, base64; default: DAILY_PINLESS_HMAC_SECRET, or made up",
    )
    parser.add_argument("--number", help="a number of the domain's")
    parser.add_argument("--webhook", metavar="URL", help="where its calls are announced")
    parser.add_argument(
        "--message", default="", help="what is said to its callers when nobody picks up"
    )
    parser.add_argument(
        "--hold-s", type=float, default=60.0, help="how long a caller waits before Daily gives up"
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the stand-in until it is told to stop.

    Returns:
        The exit code: 0, or 2 when it could not start.
    """
    try:
        asyncio.run(_run(_arguments(argv)))
    except OSError as error:
        print(f"understudy.daily: cannot start: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    daily = DailyStandIn(
        api_key=options.api_key,
        hmac=options.hmac,
        host=options.host,
        port=options.port,
        hold_s=options.hold_s,
    )
    async with daily:
        if options.number and options.webhook:
            daily.own_number(options.number, options.webhook, message=options.message)
        print(f"daily ready {daily.url}", flush=True)
        if options.until_eof:
            threading.Thread(target=_await_eof, args=(loop, stop), daemon=True).start()
        await stop.wait()


def _await_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 65_536):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())
