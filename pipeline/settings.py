"""What can be set from outside: typed, from the environment and `.env`, explained when wrong.

The real environment wins over `.env`. `.env.example` documents every variable; a test keeps the
two equal.
"""

import os
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from pipeline.settings_access import AccessSettings
from pipeline.settings_network import NetworkSettings
from pipeline.settings_phone import PhoneSettings
from pipeline.turn_services import missing_for
from pipeline.variables import variable

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: personas, page and `.env` are found from here."""


class SettingsError(Exception):
    """A variable has a value that can't be used; the message is one sentence for the user."""


class Settings(NetworkSettings, AccessSettings, PhoneSettings):
    """Everything that can be set, by the name of its environment variable.

    Variables that the SDKs and Pipecat read themselves (`GOOGLE_GEMINI_BASE_URL`,
    `SSL_CERT_FILE`, `DAILY_API_URL`, ...) are here too, so that each is checked and documented in
    one place.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    google_api_key: SecretStr | None = variable(
        "GOOGLE_API_KEY", None, "a Gemini API key", "AIza..."
    )
    gemini_base_url: str | None = variable(
        "GOOGLE_GEMINI_BASE_URL",
        None,
        "a https:// address, because the Live API is spoken over TLS only",
        "https://127.0.0.1:8443",
        pattern=r"^https://[^/\s]+",
    )
    ssl_cert_file: Path | None = variable(
        "SSL_CERT_FILE", None, "the path of a PEM file", "certs/cert.pem"
    )
    offline: bool = variable("SALON_OFFLINE", False, "true or false", "true")
    model: str = variable(
        "SALON_MODEL",
        "gemini-3.8-live",
        "the name of a Live model",
        "gemini-3.8-live",
        pattern=r"^[A-Za-z0-9./_-]+$",
    )
    language: str = variable(
        "SALON_LANGUAGE",
        "en-US",
        "a language code",
        "en-US",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    )
    persona: str = variable(
        "SALON_PERSONA",
        "companion",
        "the name of a file in personas/, without .md",
        "companion",
        pattern=r"^[a-z0-9-]+$",
    )
    connect_timeout_s: float = variable(
        "SALON_CONNECT_TIMEOUT_S", 8.0, "a number of seconds from 0.5 to 60", "8", ge=0.5, le=60
    )
    turn_log_dir: Path = variable(
        "SALON_TURN_LOG_DIR", ROOT / "logs" / "turns", "a folder", "logs/turns"
    )
    uploads_dir: Path | None = variable(
        "SALON_UPLOADS_DIR", None, "a folder", "/var/tmp/salon-uploads"
    )
    max_session_s: float | None = variable(
        "SALON_MAX_SESSION_S",
        None,
        "a number of seconds, at least 1",
        "3600",
        ge=1,
        allow_inf_nan=False,
    )
    resume_s: float = variable(
        "SALON_RESUME_S", 30.0, "a number of seconds from 0 to 600", "30", ge=0, le=600
    )
    prices_file: Path | None = variable(
        "SALON_PRICES", None, "the path of a file like pipeline/prices.yaml", "prices.yaml"
    )
    understudy_record: Path | None = variable(
        "SALON_UNDERSTUDY_RECORD", None, "the path of a file", "logs/understudy.jsonl"
    )
    log_level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = variable(
        "SALON_LOG_LEVEL", "INFO", "TRACE, DEBUG, INFO, WARNING or ERROR", "INFO"
    )
    max_sessions: int | None = variable(
        "SALON_MAX_SESSIONS", None, "a number of sessions from 1 to 1000", "8", ge=1, le=1000
    )
    max_sessions_per_client: int | None = variable(
        "SALON_MAX_SESSIONS_PER_CLIENT", None, "a number from 1 to 1000", "2", ge=1, le=1000
    )
    max_sessions_per_key: int | None = variable(
        "SALON_MAX_SESSIONS_PER_KEY", None, "a number from 1 to 1000", "4", ge=1, le=1000
    )
    max_sessions_per_model_key: int | None = variable(
        "SALON_MAX_SESSIONS_PER_MODEL_KEY", None, "a number from 1 to 1000", "3", ge=1, le=1000
    )
    spare_processes: int = variable(
        "SALON_SPARE_PROCESSES", 1, "a number of processes from 0 to 100", "2", ge=0, le=100
    )
    session_memory_mb: int = variable(
        "SALON_SESSION_MEMORY_MB", 400, "megabytes from 64 to 100000", "400", ge=64, le=100_000
    )
    drain_s: float = variable(
        "SALON_DRAIN_S", 600.0, "a number of seconds from 0 to 86400", "600", ge=0, le=86_400
    )
    run_dir: Path | None = variable("SALON_RUN_DIR", None, "a folder", "/run/salon")
    log_format: Literal["text", "json"] = variable(
        "SALON_LOG_FORMAT", "text", "text or json", "json"
    )
    trace_endpoint: str | None = variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "the http(s):// address of an OpenTelemetry collector",
        "http://127.0.0.1:4318",
        pattern=r"^https?://[^/\s]+",
    )
    trace_headers: SecretStr | None = variable(
        "OTEL_EXPORTER_OTLP_HEADERS", None, "names and values, with commas between them", "key=..."
    )
    trace_service_name: str = variable("OTEL_SERVICE_NAME", "salon", "a name", "salon")
    trace_words: bool = variable("SALON_TRACE_WORDS", False, "true or false", "true")

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Each environment variable with the field that it sets."""
        return {field.alias: field for field in cls.model_fields.values() if field.alias}

    @property
    def model_key(self) -> Literal["no", "may", "must"]:
        """Whether callers bring a Gemini API key of their own; where there is no other, they must."""
        if self.offline:
            return "no"
        is_needed = self.google_api_key is None and self.own_model_keys == "may"
        return "must" if is_needed else self.own_model_keys

    @property
    def offers_rooms(self) -> bool:
        """Whether a browser may meet the bot in a Daily room; offline Daily is a stand-in."""
        is_offline = self.offline and self.daily_is_stand_in
        return self.daily_api_key is not None and not is_offline


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
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None
    if (settings.turn_urls is None) != (settings.turn_secret is None):
        missing = "SALON_TURN_SECRET" if settings.turn_urls else "SALON_TURN_URLS"
        raise SettingsError(
            f"{missing} is missing: SALON_TURN_URLS and SALON_TURN_SECRET are of use together only."
        )
    if missing := missing_for(settings):
        raise SettingsError(
            f"{missing} is missing: SALON_TURN_SERVICE={settings.turn_service} needs it."
        )
    return settings


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    field = Settings.variables()[name]
    value = "" if "Secret" in str(field.annotation) else f", not {first['input']!r}"
    example = (field.examples or [""])[0]
    return f"{name} must be {field.description}{value}; for example {name}={example}"
