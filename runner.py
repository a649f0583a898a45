"""The server: the page, its sessions, Daily rooms and uploads, on Pipecat's own runner."""

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator

from pipeline.persona import PersonaError, load_persona, load_personas
from pipeline.settings import Settings, SettingsError, load_settings
from serving.logs import log_to_stderr
from serving.offline import OfflineError, understudy


def main() -> int:
    """Serve until Ctrl-C.

    Returns:
        The exit status: 0, or 2 when something that was given can't be used.
    """
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--offline", action="store_true", help="answer with the understudy")
    parser = argparse.ArgumentParser(
        prog="runner.py",
        parents=[own],
        description="Salon: talk with Gemini Live. Without GOOGLE_API_KEY it runs offline.",
    )
    given, _ = own.parse_known_args()
    asks_for_help = not {"-h", "--help"}.isdisjoint(sys.argv[1:])

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        try:
            settings = load_settings()
            load_personas()
            load_persona(settings.persona)
            if not asks_for_help:
                _check_port()
                if given.offline or settings.offline or settings.google_api_key is None:
                    stack.enter_context(understudy(record=settings.understudy_record))
                    os.environ["SALON_OFFLINE"] = "true"
            settings = load_settings()
        except (SettingsError, PersonaError, OfflineError) as error:
            print(f"Salon can't start: {error}", file=sys.stderr)
            return 2
        with contextlib.suppress(KeyboardInterrupt):
            _serve(parser, settings)
    return 0


def _serve(parser: argparse.ArgumentParser, settings: Settings) -> None:
    """Add our routes to Pipecat's runner application and run it."""
    log_to_stderr(settings)
    with _without_dotenv():
        from pipecat.runner import run as pipecat_runner
    from pipeline.warm_up import warm_up
    from serving.gate import StartGate
    from serving.ice import use_addresses
    from serving.lifetime import add_lifetime
    from serving.page import add_page

    warm_up()
    use_addresses(settings.ice_address_list)
    add_page(pipecat_runner.app, settings)
    add_lifetime(pipecat_runner.app, settings)
    pipecat_runner.app.add_middleware(StartGate, settings=settings)
    # Pipecat 1.14.0 has no parameters for its banner and its page.
    pipecat_runner._print_dev_runner_banner = lambda: None
    pipecat_runner._print_startup_message = lambda args: _print_banner(args, settings)
    pipecat_runner._setup_frontend_routes = lambda app: None
    if "--dialin" not in sys.argv:
        # Pipecat's dial-in webhook takes unsigned requests, each of which costs a room.
        sys.argv.append("--no-dialin")
    pipecat_runner.main(parser)


@contextlib.contextmanager
def _without_dotenv() -> Iterator[None]:
    """Keep `pipecat.runner.run` from letting `.env` win over the environment when imported."""
    os.environ["PYTHON_DOTENV_DISABLED"] = "true"
    try:
        yield
    finally:
        del os.environ["PYTHON_DOTENV_DISABLED"]


def _check_port() -> None:
    """Say in a sentence what uvicorn would say in a traceback.

    Raises:
        SettingsError: When the port can't be listened on.
    """
    probe = argparse.ArgumentParser(add_help=False)
    probe.add_argument("--host", default="localhost")
    probe.add_argument("--port", type=int, default=7860)
    args, _ = probe.parse_known_args()
    try:
        family, *_, address = socket.getaddrinfo(args.host, args.port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family):
            pass
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{args.host}:{args.port} can't be listened on ({why}); "
            "choose another with --host and --port."
        ) from None


def _print_banner(args: argparse.Namespace, settings: Settings) -> None:
    print(f"\nSalon is open at http://{args.host}:{args.port}")
    if settings.offline:
        print("  Offline: an understudy answers instead of Gemini. GOOGLE_API_KEY changes that.")
    else:
        print(f"  {settings.model} answers.")
    print("  Ctrl-C closes it.\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
