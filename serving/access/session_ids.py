"""Session ids that only this server can issue: they carry the right to use their session.

Clients of Pipecat build every address of a session (`/sessions/{sessionId}/api/offer`, ...) from
the `sessionId` that `/start` answers with, so a signed one is a token in each of them. What is
written down anywhere else is the uuid alone.
"""

import contextlib
import hashlib
import os
import secrets
import stat
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner

from pipeline.settings import Settings, SettingsError
from serving.refused import Refused

TO_BEGIN_S = 60
"""How long after `/start` a call may begin. A clock that was set back by as much does no harm."""
MAX_CHARACTERS = 200
SECRET_BYTES = 32
SECRET_FILE = "token-secret"


class SessionIds:
    """Issues session ids and reads them again: "uuid.timestamp.signature".

    Parameters:
        secret: What they are signed with; whoever has it can issue them too.
        time_s: The wall clock: two servers, one after the other, read the same ids.
    """

    def __init__(self, secret: bytes, *, time_s: Callable[[], float] = time.time):
        self._time_s = time_s
        self._signer = TimestampSigner(
            secret, salt="salon.session", key_derivation="hmac", digest_method=hashlib.sha256
        )
        self._signer.get_timestamp = lambda: int(time_s())

    def issue(self) -> str:
        """A new session's id."""
        return self._signer.sign(uuid.uuid4().hex).decode()

    def read(self, text: str, *, is_running: Callable[[str], bool]) -> str:
        """The uuid of a session id.

        Args:
            text: What a client sent; anything.
            is_running: Whether the session with this uuid has begun and not ended. While it has,
                its id is good, whatever the clock says.

        Returns:
            The uuid, 32 hexadecimal digits.

        Raises:
            Refused: 403 when the id is not one of ours, 410 when its time has passed.
        """
        try:
            if len(text) > MAX_CHARACTERS or not text.isascii():
                raise BadSignature("not an id")
            value, issued = self._signer.unsign(text, return_timestamp=True)
        except BadSignature:
            raise Refused(403, "This session id was not issued by this server.") from None
        session = value.decode()
        if is_running(session) or abs(self._time_s() - issued.timestamp()) <= TO_BEGIN_S:
            return session
        raise Refused(
            410, "This session has ended or was not begun in time; POST /start begins another."
        )


def token_secret(settings: Settings, folder: Path) -> bytes:
    """The secret of the session ids: `SALON_TOKEN_SECRET`, or one that this run makes up.

    Args:
        settings: Where it may be set.
        folder: The run's folder, shared by the servers that follow each other on a port: the
            first to come makes the secret, all others read it.

    Raises:
        SettingsError: When the file can't be had, or is not only ours.
    """
    if settings.token_secret:
        return settings.token_secret.get_secret_value().encode()
    path = folder / SECRET_FILE
    try:
        _make(path)
        return _read(path)
    except OSError as error:
        raise SettingsError(
            f"The secret of session ids can't be kept in {path} ({error.strerror}); "
            "set SALON_TOKEN_SECRET, or remove the file"
        ) from None


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all, unless there is one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename it never replaces what is there
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with open(handle, "rb") as file:
        state = os.fstat(handle)
        secret = file.read(SECRET_BYTES + 1)
    if os.name == "posix" and (
        not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077 or state.st_uid != os.geteuid()
    ):
        raise PermissionError(0, "others may read it")
    if len(secret) != SECRET_BYTES:
        raise OSError(0, "it holds something else")
    return secret
