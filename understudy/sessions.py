"""Who gets which session: what is the same for all sessions of an understudy."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import RESOURCE_EXHAUSTED
from understudy.memory import HANDLE_TTL_S, ResumptionStore
from understudy.profiles import PROFILES, Profile
from understudy.quotas import MINUTE_S, Quotas
from understudy.replay import Replay, load_recording
from understudy.routes import LiveRoute, check_access
from understudy.scenario import Scenario
from understudy.tokens import TokenStore

if TYPE_CHECKING:
    from understudy.session import Session


class Sessions:
    """Makes a session for each connection; see `Understudy` for what is given.

    Raises:
        ScenarioError: The capture makes no sense.
        OSError: The capture can't be read.
    """

    def __init__(
        self,
        *,
        keys: Collection[str] | None,
        tokens: TokenStore,
        profile: str | None,
        scenario: Scenario | None,
        replay: Path | None,
        clock_scale: float,
        exclusive_handles: bool,
        max_handles: int,
        max_sessions_per_key: int | None,
        tokens_per_minute_per_key: int | None,
        quota_at_upgrade: bool,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._forced_profile: Profile | None = PROFILES[profile] if profile else None
        self._scenario = scenario
        self._cues = load_recording(replay) if replay is not None else None
        self._clock_scale = clock_scale
        self._exclusive_handles = exclusive_handles
        self._store = ResumptionStore(ttl_s=HANDLE_TTL_S / clock_scale, max_handles=max_handles)
        self._quota_at_upgrade = quota_at_upgrade
        self._quotas = Quotas(
            max_sessions=max_sessions_per_key,
            tokens_per_minute=tokens_per_minute_per_key,
            minute_s=MINUTE_S / clock_scale,
        )

    def refuse(self, route: LiveRoute, now_s: float) -> tuple[HTTPStatus, str] | None:
        """Returns the HTTP answer that replaces the upgrade, or None to let it go on."""
        if not self._quota_at_upgrade or self._quotas.takes_session(self._payer(route), now_s):
            return None
        return HTTPStatus.TOO_MANY_REQUESTS, RESOURCE_EXHAUSTED + "\n"

    def make(self, route: LiveRoute) -> Session | Replay:
        """Returns the session of a connection that came by this route."""
        if self._cues is not None:
            return Replay(self._cues)
        # Loaded by now: importing it at the top would take 0.4 s from the start.
        from understudy.session import Session

        admit = partial(self._tokens.admit, route.key or "") if route.is_constrained else None
        return Session(
            store=self._store,
            new_id=lambda: str(uuid.uuid4()),
            api_version=route.api_version,
            refusal=check_access(route, self._keys),
            scenario=self._scenario,
            forced_profile=self._forced_profile,
            clock_scale=self._clock_scale,
            exclusive_handles=self._exclusive_handles,
            admit=admit,
            account=self._quotas.account(self._payer(route)),
        )

    def _payer(self, route: LiveRoute) -> str:
        return self._tokens.owner(route.key or "")
