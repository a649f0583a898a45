"""The server's command: the page, calls from browsers, Daily rooms, and telephone calls."""

import argparse
import contextlib
import signal
import socket
import sys
from pathlib import Path

import uvloop

from pipeline.persona import PersonaError, load_persona, load_personas
from pipeline.prices import load_prices
from pipeline.settings import Settings, SettingsError, load_settings
from serving.access.exposure import check_access
from serving.logs import log_to_stderr
from serving.offline import OfflineError, offline
from serving.port import listen
from serving.room_address import room_address
from serving.run_folder import run_folder
from serving.succession import NoPredecessor, inherit

DESCRIPTION = "Salon: talk with Gemini Live. Without GOOGLE_API_KEY it runs offline."


def main(*, bot_path: str = "bot:bot") -> int:
    """Serve until Ctrl-C.

    Args:
        bot_path: What holds the conversations, as `module:function`.

    Returns:
        The exit status: 0, or 2 when something that was given can't be used.
    """
    parser = argparse.ArgumentParser(prog="runner.py", description=DESCRIPTION)
    parser.add_argument("--host", default="localhost", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on")
    parser.add_argument("--offline", action="store_true", help="answer with the understudy")
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take the port over from the server that has it, which goes on with its calls",
    )
    parser.add_argument("--room", metavar="URL", help="a Daily room to join, with one session")
    args = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        try:
            settings = load_settings()
            room = _room(args.room)
            load_personas()
            load_persona(settings.persona)
            load_prices(settings.model, override=settings.prices_file)
            check_access(args.host, settings)
            folder = run_folder(settings, args.port)
            listener = stack.enter_context(
                inherit(folder) if args.take_over else listen(args.host, args.port)
            )
            check_access(listener.getsockname()[0], settings)
            has_key = settings.google_api_key or settings.own_model_keys == "must"
            if args.offline or settings.offline or not has_key:
                port = listener.getsockname()[1]
                stack.enter_context(offline(settings, folder=folder, port=port))
            settings = load_settings()
            with contextlib.suppress(KeyboardInterrupt):
                uvloop.run(_serve(settings, folder, listener, args, bot_path, room))
        except (SettingsError, PersonaError, OfflineError, NoPredecessor) as error:
            print(f"Salon can't start: {error}", file=sys.stderr)
            return 2
    return 0


async def _serve(
    settings: Settings,
    folder: Path,
    listener: socket.socket,
    args: argparse.Namespace,
    bot_path: str,
    room: str | None,
) -> None:
    # Not above: multiprocessing has each session's process run this file once more, as it would on
    # Windows, and what the server is made of takes 0.3 s to load and would be nobody's there.
    from serving.server import Server
    from serving.supervisor.process import ProcessFailed

    log_to_stderr(settings)
    server = Server(settings, folder, host=args.host, bot_path=bot_path)
    try:
        await server.open()
    except ProcessFailed as error:
        raise SettingsError(str(error)) from None
    await server.serve(listener, on_open=lambda: _print_banner(args, settings), room=room)


def _room(url: str | None) -> str | None:
    """The address of a room, as it was given on the command line."""
    try:
        return url and room_address(url)
    except ValueError as error:
        raise SettingsError(f"--room: {error}") from None


def _print_banner(args: argparse.Namespace, settings: Settings) -> None:
    print(f"\nSalon is open at http://{args.host}:{args.port}")
    if settings.offline:
        print("  Offline: an understudy answers instead of Gemini. GOOGLE_API_KEY changes that.")
        if settings.daily_is_stand_in:
            print("  `make call` rings it, as a telephone would.")
    else:
        print(f"  {settings.model} answers.")
        if settings.model_key == "must":
            print("  Callers bring a Gemini API key of their own (SALON_OWN_MODEL_KEYS).")
    if args.room:
        print(
            f"  In the room {args.room.partition('?')[0]} too; Salon closes when that call is over."
        )
    print("  Ctrl-C closes it.\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
