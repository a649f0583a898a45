"""A stand-in for an OpenID Connect provider: real keys, real tokens, a real server on loopback."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.access.support import served

AUDIENCE = "salon"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NEXT_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


@dataclass
class ProviderStandIn:
    """What the provider publishes, and how it misbehaves.

    Parameters:
        issuer: Its address.
        keys: The signing keys that it has, by their id.
        fault: What is wrong with it right now.
        asked: Every path that was asked for.
    """

    issuer: str = ""
    keys: dict[str, Any] = field(default_factory=lambda: {"one": RSA_KEY})
    fault: str | None = None
    asked: list[str] = field(default_factory=list)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token says; a change to None leaves a claim out."""
        now = int(time.time())
        said = {"iss": self.issuer, "aud": AUDIENCE, "sub": "ada", "exp": now + 300, "iat": now}
        return {name: value for name, value in {**said, **changes}.items() if value is not None}

    def token(self, *, kid: str | None = "one", algorithm: str = "RS256", **changes: Any) -> str:
        """A token that is signed with one of its keys."""
        key = self.keys[kid or "one"]
        headers = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(**changes), key, algorithm, headers=headers)

    def unsigned(self, *, header: dict[str, Any], signature: bytes = b"", **changes: Any) -> str:
        """A token that was put together by hand."""
        parts = [json.dumps(header).encode(), json.dumps(self.claims(**changes)).encode()]
        return b".".join(
            base64.urlsafe_b64encode(part).rstrip(b"=") for part in [*parts, signature]
        ).decode()

    def public_pem(self, kid: str = "one") -> bytes:
        """A public key as everybody can have it."""
        return (
            self.keys[kid]
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def key_set(self) -> dict[str, Any]:
        """The keys as they are published, with some that are not for tokens."""
        private = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"}
        encrypting = {**_public(RSA_KEY), "kid": "encrypting", "use": "enc"}
        published = [{**_public(key), "kid": kid} for kid, key in self.keys.items()]
        return {"keys": [private, encrypting, {"kty": "RSA"}, "nonsense", *published]}


def _public(key: Any) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(public, as_dict=True)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECAlgorithm.to_jwk(public, as_dict=True)
    return OKPAlgorithm.to_jwk(public, as_dict=True)


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[ProviderStandIn]:
    """Run one."""
    stand_in = ProviderStandIn()

    async def answer(request: Request) -> Response:
        stand_in.asked.append(request.url.path)
        configuration = {"issuer": stand_in.issuer, "jwks_uri": f"{stand_in.issuer}/keys"}
        is_keys = request.url.path == "/keys"
        match stand_in.fault:
            case "error":
                return Response("no", 500)
            case "hangs":
                await asyncio.sleep(30)
            case "redirects":
                return RedirectResponse("https://evil.example/")
            case "not-json":
                return Response("<html>")
            case "deep":
                return Response("[" * 100_000)
            case "a-list":
                return Response("[]")
            case "packed":
                return Response(b"{}", headers={"Content-Encoding": "gzip"})
            case "many-keys" if is_keys:
                return Response(json.dumps({"keys": [{}] * 33}))
            case "no-keys" if is_keys:
                return Response("{}")
            case "another-issuer":
                configuration["issuer"] = "https://evil.example"
            case "keys-without-tls":
                configuration["jwks_uri"] = "http://keys.example/"
            case "keys-in-a-file":
                configuration["jwks_uri"] = "file:///etc/passwd"
            case "keys-nowhere":
                del configuration["jwks_uri"]
        padding = " " * 300_000 if stand_in.fault == "huge" else ""
        return Response(padding + json.dumps(stand_in.key_set() if is_keys else configuration))

    app = Starlette(routes=[Route("/{path:path}", answer)])
    async with served(app, timeout_graceful_shutdown=1) as url:
        stand_in.issuer = url
        yield stand_in


FAULTS = (
    *("error", "hangs", "redirects", "not-json", "deep", "a-list", "huge", "packed"),
    *("many-keys", "no-keys", "another-issuer", "keys-without-tls", "keys-in-a-file"),
    "keys-nowhere",
)
