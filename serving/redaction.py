"""Keeps secrets out of the log: the last line of defence, behind code that never logs them."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import SecretStr

from pipeline.settings import Settings

HIDDEN = "[hidden]"
MIN_SECRET_CHARS = 6
"""What is shorter would blot out words that mean nothing."""

_SHAPES = (
    (r"AIza[\w-]{10,}", HIDDEN),  # a key of Google's
    (r"eyJ[\w-]{10,}\.[\w-]+\.[\w-]+", HIDDEN),  # a JSON Web Token
    (r"\b((?i:bearer|basic)) (?=[a-z]*[^a-z\s])[\w.~+/=-]{8,}", rf"\1 {HIDDEN}"),
    (r"((?i:x-goog-api-key)[^\w\[]{1,6}(?:b['\"])?)[!-~]{6,}", rf"\1{HIDDEN}"),
    # A session's identifier as clients have it: its time and signature let anybody in.
    (r"\b([0-9a-f]{32})\.[\w-]{5,10}\.[\w-]{20,}", r"\1"),
    (r"://[^/\s@]{1,256}@", f"://{HIDDEN}@"),
    (r"\?(?=[^\s\"'?]*=)[^\s\"']*", f"?{HIDDEN}"),
)


class Redaction:
    """Takes secrets out of text: those that it was told, and what looks like one.

    Args:
        secrets: Values that no line may hold.
    """

    def __init__(self, secrets: Iterable[str] = ()):
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.add(secrets)
        self._shapes = [(re.compile(shape), instead) for shape, instead in _SHAPES]

    def add(self, secrets: Iterable[str]) -> None:
        """Take these out of every text from now on."""
        self._secrets.update(s for s in secrets if len(s) >= MIN_SECRET_CHARS)
        known = sorted(self._secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for shape, instead in self._shapes:
            text = shape.sub(instead, text)
        return text


def secrets_of(settings: Settings) -> Iterator[str]:
    """All secrets that are set, and the parts of those that are lists."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value().strip()
            yield text
            yield from _parts(text)


def _parts(text: str) -> Iterator[str]:
    """Of JSON its credentials; of anything else what is between its commas, spaces and `=`."""
    if text[:1] in ("[", "{"):
        try:
            yield from _credentials(json.loads(text))
        except ValueError:
            return
        return
    for part in re.split(r"[,\s=]+", text):
        if not re.fullmatch(r"[a-z-]*|(stun|turns?):.*", part):  # a name or an address
            yield part


def _credentials(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _credentials(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("credential", "password", "username") and isinstance(item, str):
                yield item
            else:
                yield from _credentials(item)
