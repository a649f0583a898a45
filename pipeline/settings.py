"""What can be set from outside: typed, from the environment and `.env`, explained when wrong.

The real environment wins over `.env`. `.env.example` documents every variable; a test keeps the
two equal.
"""

import json
import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: personas, page and `.env` are found from here."""


class SettingsError(Exception):
    """A variable has a value that can't be used; the message is one sentence for the user."""


def _all_addresses(value: str) -> str:
    for address in value.split(","):
        ip_address(address.strip())
    return value


def _all_ice_servers(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if text[0] in "[{":
        given = json.loads(text)
        servers = given if isinstance(given, list) else [given]
        if not all(isinstance(server, dict) and server.get("urls") for server in servers):
            raise ValueError("each needs urls")
        urls = [server["urls"] for server in servers]
    else:
        urls = text.split(",")
    for url in urls:
        for one in url if isinstance(url, list) else [url]:
            if not one.strip().startswith(("stun:", "turn:", "turns:")):
                raise ValueError("not the address of a STUN or TURN server")
    return value


def _variable(name: str, default: Any, must_be: str, example: str, **limits: Any) -> Any:
    """A setting by its variable's name, what it must be (in words), and an example."""
    return Field(default, alias=name, description=must_be, examples=[example], **limits)


class Settings(BaseSettings):
    """Everything that can be set, by the name of its environment variable.

    Variables that the SDKs and Pipecat read themselves (`GOOGLE_GEMINI_BASE_URL`,
    `SSL_CERT_FILE`, `DAILY_API_URL`, ...) are here too, so that each is checked and documented in
    one place.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    google_api_key: SecretStr | None = _variable(
        "GOOGLE_API_KEY", None, "a Gemini API key", "AIza..."
    )
    gemini_base_url: str | None = _variable(
        "GOOGLE_GEMINI_BASE_URL",
        None,
        "a https:// address, because the Live API is spoken over TLS only",
        "https://127.0.0.1:8443",
        pattern=r"^https://[^/\s]+",
    )
    ssl_cert_file: Path | None = _variable(
        "SSL_CERT_FILE", None, "the path of a PEM file", "certs/cert.pem"
    )
    offline: bool = _variable("SALON_OFFLINE", False, "true or false", "true")
    model: str = _variable(
        "SALON_MODEL",
        "gemini-3.8-live",
        "the name of a Live model",
        "gemini-3.8-live",
        pattern=r"^[A-Za-z0-9./_-]+$",
    )
    language: str = _variable(
        "SALON_LANGUAGE",
        "en-US",
        "a language code",
        "en-US",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    )
    persona: str = _variable(
        "SALON_PERSONA",
        "companion",
        "the name of a file in personas/, without .md",
        "companion",
        pattern=r"^[a-z0-9-]+$",
    )
    connect_timeout_s: float = _variable(
        "SALON_CONNECT_TIMEOUT_S", 8.0, "a number of seconds from 0.5 to 60", "8", ge=0.5, le=60
    )
    turn_log_dir: Path = _variable(
        "SALON_TURN_LOG_DIR", ROOT / "logs" / "turns", "a folder", "logs/turns"
    )
    uploads_dir: Path | None = _variable(
        "SALON_UPLOADS_DIR", None, "a folder", "/var/tmp/salon-uploads"
    )
    understudy_record: Path | None = _variable(
        "SALON_UNDERSTUDY_RECORD", None, "the path of a file", "logs/understudy.jsonl"
    )
    ice_addresses: Annotated[str, AfterValidator(_all_addresses)] | None = _variable(
        "SALON_ICE_ADDRESSES",
        None,
        "IP addresses of this machine, with commas between them",
        "192.168.1.20",
    )
    ice_servers: Annotated[SecretStr, AfterValidator(_all_ice_servers)] | None = _variable(
        "PIPECAT_ICE_SERVERS",
        None,
        "STUN and TURN servers, with commas between them or as JSON",
        "stun:stun.example.com:3478",
    )
    log_level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = _variable(
        "SALON_LOG_LEVEL", "INFO", "TRACE, DEBUG, INFO, WARNING or ERROR", "INFO"
    )
    daily_api_key: SecretStr | None = _variable(
        "DAILY_API_KEY", None, "a Daily API key", "0123abcd..."
    )
    daily_api_url: str = _variable(
        "DAILY_API_URL",
        "https://api.daily.co/v1",
        "the http(s):// address of Daily's REST API",
        "https://api.daily.co/v1",
        pattern=r"^https?://[^/\s]+",
    )
    daily_room_url: str | None = _variable(
        "DAILY_ROOM_URL",
        None,
        "the https:// address of a Daily room",
        "https://you.daily.co/salon",
        pattern=r"^https://[^/\s]+",
    )

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Each environment variable with the field that it sets."""
        return {field.alias: field for field in cls.model_fields.values() if field.alias}

    @property
    def ice_address_list(self) -> list[str]:
        """The addresses of `SALON_ICE_ADDRESSES`; empty when any of the machine's may be used."""
        return [part.strip() for part in (self.ice_addresses or "").split(",") if part.strip()]


def load_settings(*, env_file: Path | None = ROOT / ".env") -> Settings:
    """Read and check the settings.

    What `.env` says is added to the environment where the environment does not say it already:
    the SDKs read the environment, so being in `Settings` alone would not reach them. An empty
    variable counts as not set, as in a copied `.env.example`.

    Raises:
        SettingsError: With one sentence: the variable, what is wrong, an example.
    """
    if env_file is not None:
        for name, value in dotenv_values(env_file).items():
            if value:  # an empty SSL_CERT_FILE would leave OpenSSL without any authority
                os.environ.setdefault(name, value)
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    field = Settings.variables()[name]
    value = "" if "Secret" in str(field.annotation) else f", not {first['input']!r}"
    example = (field.examples or [""])[0]
    return f"{name} must be {field.description}{value}; for example {name}={example}"
