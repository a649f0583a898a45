"""Secrets that can be recognised, planted wherever there is one, and looked for in every output.

secrets = Secrets()
with running_server(folder, **secrets.environment()) as server:
    post(server.url, headers={"X-API-Key": secrets.plant("a wrong key")})
assert secrets.found_in(folder) == []
"""

import base64
import json
import secrets as random
from collections.abc import Iterator
from pathlib import Path

from pipeline.settings import Settings


class Secrets:
    """Makes secrets, each different, and finds them again in plain, base64, hexadecimal or URLs.

    Half of one is enough to be found, so one that was cut short is found too.
    """

    def __init__(self) -> None:
        self._planted: dict[str, tuple[str, str]] = {}

    def plant(self, name: str) -> str:
        """A new secret, to be put somewhere: into a header, a query, a body.

        Args:
            name: What it is called when it is found.
        """
        halves = random.token_hex(10), random.token_hex(10)
        self._planted[name] = halves
        return "+/".join(halves)  # with what URLs and base64 write differently

    def environment(self) -> dict[str, str]:
        """Each variable that holds a secret, with one in it, and what they are of no use without."""
        names = [name for name, field in Settings.variables().items() if "Secret" in repr(field)]
        planted = {name: self._value(name) for name in names}
        return {**planted, "SALON_TURN_URLS": "turn:127.0.0.1:9"}

    def halves(self, name: str) -> tuple[str, str]:
        """What a planted secret is made of."""
        return self._planted[name]

    def found_in(self, place: str | bytes | Path) -> list[str]:
        """Which secrets are in a text, in bytes, or in a folder with all its files and names.

        Returns:
            A sentence for each, without the secret; none when all is well.
        """
        return [
            f"{name} is in {where}, {form}"
            for where, content in _contents(place)
            for name, halves in self._planted.items()
            for form, sought in _forms(halves)
            if sought in content
        ]

    def _value(self, name: str) -> str:
        secret = self.plant(name)
        match name:
            case "SALON_API_KEYS":
                return f"planted:{secret}"
            case "PIPECAT_ICE_SERVERS":
                server = {"urls": "turn:127.0.0.1:9", "username": "u", "credential": secret}
                return json.dumps([server])
            case "DAILY_PINLESS_HMAC_SECRET" | "DAILY_WEBHOOK_HMAC_SECRET":
                return base64.b64encode(secret.encode()).decode()
        return secret


def _contents(place: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(place, str):
        yield "the text", place.encode("utf-8", "surrogateescape")
    elif isinstance(place, bytes):
        yield "the bytes", place
    else:
        assert place.is_dir(), f"{place} is no folder: nothing would be found in it"
        for path in place.rglob("*"):
            name = path.relative_to(place)
            yield f"the name {name}", str(name).encode("utf-8", "surrogateescape")
            if path.is_file():
                yield f"the file {name}", path.read_bytes()


def _forms(halves: tuple[str, str]) -> Iterator[tuple[str, bytes]]:
    for half in halves:
        plain = half.encode()
        yield "as it is", plain
        yield "in hexadecimal", plain.hex().encode()
        yield "in URL-encoding", "".join(f"%{byte:02x}" for byte in plain).encode()
        yield "in URL-encoding", "".join(f"%{byte:02X}" for byte in plain).encode()
        for before in range(3):
            yield "in base64", _base64_after(before, plain)


def _base64_after(before: int, plain: bytes) -> bytes:
    """What base64 makes of it after so many other bytes, without what others are mixed into."""
    encoded = base64.b64encode(b"\0" * before + plain).rstrip(b"=")
    first = (0, 2, 3)[before]
    last = len(encoded) - (1 if (before + len(plain)) % 3 else 0)
    return encoded[first:last]
