"""Callers' own keys to the model: checked, and held in memory until their calls begin.

They are nowhere else: not in the run folder, no log, no answer. A server that takes over the port does
not get them.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import SecretStr

from serving.access.origins import header
from serving.refused import Refused

HEADER = "X-Goog-Api-Key"
"""As Google's own API has it."""

_NONE_TAKEN = f"This server takes no Gemini API key from callers; leave out {HEADER}."
_NEEDED = (
    f"This server has no Gemini API key of its own: send yours as {HEADER}; "
    "https://aistudio.google.com/apikey gives you one."
)
_NO_KEY = f"{HEADER} must be a Gemini API key: 10 to 512 characters, without spaces."


def own_key_of(headers: Sequence[tuple[bytes, bytes]]) -> SecretStr | None:
    """The key that a request brings; None: it brings none.

    Raises:
        Refused: 400 when it can't be one, or there are two.
    """
    key = header(headers, HEADER.lower().encode())
    if not key:
        return None
    if not re.fullmatch(r"[!-~]{10,512}", key):
        raise Refused(400, _NO_KEY)
    return SecretStr(key)


def check_own_key(key: SecretStr | None, wanted: Literal["no", "may", "must"]) -> None:
    """See whether a call may begin with this key, or without one.

    Args:
        key: What the caller brings.
        wanted: Whether this server takes keys (`Settings.model_key`).

    Raises:
        Refused: 400 when it may not.
    """
    if key is None and wanted == "must":
        raise Refused(400, _NEEDED)
    if key is not None and wanted == "no":
        raise Refused(400, _NONE_TAKEN)


def hash_of(key: SecretStr | None) -> str:
    """What tells keys apart, and none from all others."""
    return hashlib.sha256((key.get_secret_value() if key else "").encode()).hexdigest()


class OwnKeys:
    """The keys of calls that were accepted and have not begun."""

    def __init__(self) -> None:
        self._keys: dict[str, SecretStr] = {}

    def keep(self, session_id: str, key: SecretStr | None) -> None:
        """Hold the key of a call, if it has one."""
        if key is not None:
            self._keys[session_id] = key

    def of(self, session_id: str) -> SecretStr | None:
        """The key of a call, if there is one."""
        return self._keys.get(session_id)

    def forget(self, session_id: str) -> None:
        """Hold a call's key no longer."""
        self._keys.pop(session_id, None)

    def forget_all_but(self, waits: Callable[[str], bool]) -> None:
        """Hold the keys of those calls only that still wait."""
        self._keys = {session: key for session, key in self._keys.items() if waits(session)}
