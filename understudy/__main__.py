"""The command: `python -m understudy`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from understudy import ScenarioError, Understudy
from understudy.memory import MAX_HANDLES
from understudy.profiles import PROFILES
from understudy.record import MAX_RECORDS
from understudy.rules import Rule, read_option

_USAGE_ERROR = 2


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="understudy", description="A local stand-in for the Gemini Live API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=_port, default=8443, help="port to listen at; 0: any free")
    parser.add_argument(
        "--plain-port", type=_port, metavar="PORT", help="listen here without TLS too; 0: any free"
    )
    parser.add_argument("--cert-dir", type=Path, help="where cert.pem goes; default: temporary")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append events as JSON lines")
    parser.add_argument(
        "--keys", type=_keys, metavar="K1,K2", help="the only API keys taken; default: any"
    )
    parser.add_argument(
        "--profile",
        choices=sorted(PROFILES),
        help="play this model family whatever model is asked for",
    )
    parser.add_argument(
        "--scenario",
        type=Path,
        default=os.environ.get("UNDERSTUDY_SCENARIO"),
        metavar="FILE",
        help="what to answer and break; default: UNDERSTUDY_SCENARIO",
    )
    parser.add_argument(
        "--fault",
        "--misbehave",
        dest="faults",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[:param=value,...]",
        help="do something wrong; understudy/SCENARIOS.md lists what. May be repeated",
    )
    parser.add_argument(
        "--capture", type=Path, metavar="DIR", help="write every message of a session"
    )
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="play a capture to every client"
    )
    parser.add_argument(
        "--control-port",
        type=_port,
        metavar="PORT",
        help="switch faults here over HTTP; 0: any free",
    )
    parser.add_argument(
        "--text-frames", action="store_true", help="send text frames; the real ones are binary"
    )
    parser.add_argument(
        "--clock-scale",
        type=_scale,
        default=1.0,
        metavar="N",
        help="limits of connections and sessions, goAway and handles pass N times faster",
    )
    parser.add_argument(
        "--exclusive-handles",
        action="store_true",
        help="refuse a resumption handle while its old connection is open",
    )
    parser.add_argument(
        "--max-sessions-per-key",
        type=_count,
        metavar="N",
        help="refuse a key's sessions beyond so many open ones; default: any number",
    )
    parser.add_argument(
        "--tokens-per-minute-per-key",
        type=_count,
        metavar="N",
        help="refuse a key's turns and sessions once a minute has cost so much",
    )
    parser.add_argument(
        "--quota-at-upgrade",
        action="store_true",
        help="refuse sessions for these two with HTTP 429, not with 1011 after the setup",
    )
    parser.add_argument(
        "--max-records",
        type=_count,
        default=MAX_RECORDS,
        metavar="N",
        help="events kept in memory, for GET /sessions",
    )
    parser.add_argument(
        "--max-handles",
        type=_count,
        default=MAX_HANDLES,
        metavar="N",
        help="resumption handles kept; the oldest are forgotten beyond",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args(argv)


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE_ERROR, f"understudy: {message}\n")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1_000_000:
        raise argparse.ArgumentTypeError("a scale is a number above 0")
    return scale


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 18 or not int(text):
        raise argparse.ArgumentTypeError("a limit is a whole number from 1 on")
    return int(text)


def _keys(text: str) -> frozenset[str]:
    keys = frozenset(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise argparse.ArgumentTypeError("at least one key is needed")
    return keys


def _fault(text: str) -> Rule:
    try:
        return read_option(text)
    except ScenarioError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the understudy until it is told to stop.

    Returns:
        The exit code: 0 after SIGINT, SIGTERM or the end of standard input, 2 when it could
        not start.
    """
    options = _arguments(argv)
    try:
        with asyncio.Runner(loop_factory=_new_event_loop()) as runner:
            runner.run(_run(options))
    except ScenarioError as error:
        print(f"understudy: {error}", file=sys.stderr)
        return _USAGE_ERROR
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        print(f"understudy: cannot start: {error.strerror or error}{where}", file=sys.stderr)
        return _USAGE_ERROR
    except KeyboardInterrupt:
        return 0
    return 0


def _new_event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns what makes uvloop's event loop, where there is one; None means asyncio's own.

    It takes a third of the time for each message, and asyncio's TLS keeps a buffer of 256 KiB for
    each connection.
    """
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    understudy = Understudy(
        host=options.host,
        port=options.port,
        cert_dir=options.cert_dir,
        record_path=options.record,
        keys=options.keys,
        profile=options.profile,
        scenario=options.scenario,
        faults=options.faults,
        capture_dir=options.capture,
        replay=options.replay,
        control_port=options.control_port,
        plain_port=options.plain_port,
        text_frames=options.text_frames,
        clock_scale=options.clock_scale,
        exclusive_handles=options.exclusive_handles,
        max_sessions_per_key=options.max_sessions_per_key,
        tokens_per_minute_per_key=options.tokens_per_minute_per_key,
        quota_at_upgrade=options.quota_at_upgrade,
        max_records=options.max_records,
        max_handles=options.max_handles,
    )
    async with understudy:
        _announce(understudy)
        if options.until_eof:
            threading.Thread(target=_await_eof, args=(loop, stop), daemon=True).start()
        await stop.wait()


def _announce(understudy: Understudy) -> None:
    """Prints the line that programs read, then those for people."""
    url, cert = understudy.base_url, understudy.cert_path
    print(f"understudy ready {url} cert {cert}", flush=True)
    print(
        "\nPython (google-genai, Pipecat, LiveKit):\n"
        f"  export GOOGLE_GEMINI_BASE_URL={url} SSL_CERT_FILE={cert} GOOGLE_API_KEY=anything\n"
        "JavaScript (@google/genai):\n"
        f"  export GOOGLE_GEMINI_BASE_URL={url} NODE_EXTRA_CA_CERTS={cert} "
        "GOOGLE_API_KEY=anything\n"
        f"{_control(understudy.control_url)}"
        f"{_plain(understudy.plain_url)}"
        "\nSSL_CERT_FILE replaces the public authorities for the whole process.\n"
        "Stop with Ctrl+C.",
        flush=True,
    )


def _control(url: str) -> str:
    return f"Faults and sessions:\n  curl {url}/faults\n" if url else ""


def _plain(url: str) -> str:
    if not url:
        return ""
    return f"Without TLS (@google/genai and raw clients; the Python SDK insists on it):\n  {url}\n"


def _await_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read and not sys.stdin: a thread inside its buffer would hold up the interpreter's end.
    while os.read(0, 65_536):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())
