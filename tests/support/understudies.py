"""Understudies in the test's own process, and the environment that points at one."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from pipeline.live_client import shared_ssl_context
from pipeline.settings import Settings
from understudy import Understudy


@contextlib.asynccontextmanager
async def understudy_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path, *, faults: Sequence[str] = (), **variables: str
) -> AsyncIterator[Understudy]:
    """Run an understudy that this process's sessions talk to."""
    async with Understudy(port=0, faults=faults) as understudy:
        for name in Settings.variables():
            monkeypatch.delenv(name, raising=False)
        environment = {
            "GOOGLE_API_KEY": "any-key",
            "GOOGLE_GEMINI_BASE_URL": understudy.base_url,
            "SSL_CERT_FILE": str(understudy.cert_path),
            "SALON_TURN_LOG_DIR": str(tmp_path / "turns"),
            **variables,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        shared_ssl_context.cache_clear()
        yield understudy
    shared_ssl_context.cache_clear()
