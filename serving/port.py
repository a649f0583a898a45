"""The port: taken before anything else is started, so that a wrong one costs nobody any time."""

import socket

from pipeline.settings import SettingsError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port.

    Raises:
        SettingsError: When that can't be.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{host}:{port} can't be listened on ({why}); choose another with --host and --port."
        ) from None
