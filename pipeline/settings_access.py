"""What can be set of who may start a call."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from pipeline.variables import parts, variable


def _all_origins(value: str) -> str:
    for origin in parts(value):
        if not re.fullmatch(r"https?://[^\s/@?#*]+", origin):
            raise ValueError("not an origin")
    return value


def _all_api_keys(value: SecretStr) -> SecretStr:
    pairs = _api_keys(value)
    for name, key in pairs:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
            raise ValueError("no name")
        if not re.fullmatch(r"[!-~]{16,512}", key):
            raise ValueError("no key")
    if len({name for name, _ in pairs}) < len(pairs) or len({key for _, key in pairs}) < len(pairs):
        raise ValueError("twice the same")
    return value


def _api_keys(value: SecretStr) -> list[tuple[str, str]]:
    pairs = [part.partition(":") for part in parts(value.get_secret_value())]
    return [(name.strip(), key.strip()) for name, _, key in pairs]


class AccessSettings(BaseSettings):
    """The part of `Settings` that says who may start a call."""

    token_secret: SecretStr | None = variable(
        "SALON_TOKEN_SECRET",
        None,
        "a secret of 32 characters or more",
        "$(openssl rand -hex 32)",
        min_length=32,
    )
    api_keys: Annotated[SecretStr, AfterValidator(_all_api_keys)] | None = variable(
        "SALON_API_KEYS",
        None,
        "different names and keys of 16 characters or more, as name:key, with commas between them",
        "website:$(openssl rand -hex 16)",
    )
    oidc_issuer: str | None = variable(
        "SALON_OIDC_ISSUER",
        None,
        "the https:// address of an OpenID Connect issuer, as its tokens name it in `iss`",
        "https://login.example.com",
        pattern=r"^(https://[^\s?#]+|http://(localhost|127\.0\.0\.1|\[::1\])[:/][^\s?#]*)$",
    )
    oidc_audience: str | None = variable(
        "SALON_OIDC_AUDIENCE", None, "what tokens for Salon name in `aud`", "salon"
    )
    open_to_network: bool = variable("SALON_OPEN_TO_NETWORK", False, "true or false", "true")
    allowed_origins: Annotated[str, AfterValidator(_all_origins)] | None = variable(
        "SALON_ALLOWED_ORIGINS",
        None,
        "origins without a path or a *, with commas between them",
        "https://www.example.com",
    )
    allowed_hosts: str | None = variable(
        "SALON_ALLOWED_HOSTS",
        None,
        "host names without port or *, with commas between them",
        "salon.example.com",
        pattern=r"^[A-Za-z0-9._, -]+$",
    )
    starts_per_minute: int = variable(
        "SALON_STARTS_PER_MINUTE", 60, "a number from 1 to 100000", "60", ge=1, le=100_000
    )
    key_starts_per_minute: int = variable(
        "SALON_KEY_STARTS_PER_MINUTE", 600, "a number from 1 to 100000", "600", ge=1, le=100_000
    )
    own_model_keys: Literal["no", "may", "must"] = variable(
        "SALON_OWN_MODEL_KEYS", "may", "no, may or must", "must"
    )

    @property
    def api_key_list(self) -> list[tuple[str, SecretStr]]:
        """Whose each API key of `SALON_API_KEYS` is, and the key."""
        pairs = _api_keys(self.api_keys) if self.api_keys else []
        return [(name, SecretStr(key)) for name, key in pairs]

    @property
    def allowed_origin_list(self) -> list[str]:
        """The origins of `SALON_ALLOWED_ORIGINS`."""
        return parts(self.allowed_origins)

    @property
    def allowed_host_list(self) -> list[str]:
        """The names of `SALON_ALLOWED_HOSTS`."""
        return parts(self.allowed_hosts)
