"""Participants as daily-python shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SOURCES: tuple[str, ...] = ("camera", "microphone", "screenAudio", "screenVideo")
UNSUBSCRIBED = "unsubscribed"
SUBSCRIBED = "subscribed"


class Subscriptions:
    """What a client receives, by default and of whom."""

    def __init__(self) -> None:
        self._base = dict.fromkeys(SOURCES, SUBSCRIBED)
        self._own: dict[str, dict[str, str]] = {}

    def of(self, participant_id: str, source: str) -> str:
        """`subscribed` or `unsubscribed`."""
        default = self._base.get(source, SUBSCRIBED)
        return self._own.get(participant_id, {}).get(source, default)

    def set_profiles(self, profiles: Mapping[str, Any]) -> None:
        """Takes what `update_subscription_profiles` was given."""
        self._base.update(_states(profiles.get("base", {})))

    def set_participants(self, settings: Mapping[str, Any]) -> None:
        """Takes what `update_subscriptions` was given."""
        for participant_id, given in settings.items():
            media: Any = given.get("media", {}) if isinstance(given, Mapping) else {}
            if isinstance(media, str):
                media = dict.fromkeys(SOURCES, media)
            own = self._own.setdefault(participant_id, {})
            own.update(_states(media))
            for kind in ("customAudio", "customVideo"):
                if isinstance(media.get(kind), Mapping):
                    own.update(_states(media[kind]))

    def as_dict(self) -> dict[str, Any]:
        """As `on_subscriptions_updated` shows it."""
        return {
            participant_id: {
                "media": {name: {"subscriptionState": state} for name, state in own.items()},
                "profile": "base",
            }
            for participant_id, own in self._own.items()
        }

    def profiles(self) -> dict[str, Any]:
        """As `subscription_profiles` shows it."""
        return {"base": {name: {"subscriptionState": state} for name, state in self._base.items()}}


def _states(media: Mapping[str, Any]) -> dict[str, str]:
    states = {}
    for source, given in media.items():
        if isinstance(given, str):
            states[source] = given
        elif isinstance(given, Mapping) and isinstance(given.get("subscriptionState"), str):
            states[source] = given["subscriptionState"]
    return states


def shown(
    told: Mapping[str, Any], subscriptions: Subscriptions | None, *, is_local: bool = False
) -> dict[str, Any]:
    """A participant.

    Args:
        told: As the room tells of them.
        subscriptions: The client's; None for itself.
        is_local: Whether it is the client itself.
    """
    media: dict[str, Any] = {"customAudio": {}, "customVideo": {}}
    on = set(told["on"])
    for source in SOURCES:
        state = UNSUBSCRIBED if subscriptions is None else subscriptions.of(told["id"], source)
        media[source] = _track(source in on, state, is_local)
    for source in sorted(on - set(SOURCES)):
        state = SUBSCRIBED if subscriptions is None else subscriptions.of(told["id"], source)
        media["customAudio"][source] = _track(True, state, is_local)
    info: dict[str, Any] = {
        "isLocal": is_local,
        "isOwner": told["isOwner"],
        "joinedAt": told["joinedAt"],
        "permissions": {
            "canAdmin": ["participants"] if told["isOwner"] else [],
            "canReceive": {"base": True},
            "canSend": told["canSend"],
            "hasPresence": True,
        },
        "userId": told["id"],
    }
    if told["userName"]:
        info["userName"] = told["userName"]
    return {"id": told["id"], "info": info, "media": media}


def _track(is_on: bool, subscribed: str, is_local: bool) -> dict[str, Any]:
    if not is_on:
        return {"offReasons": ["user"], "state": "off", "subscribed": subscribed}
    is_playable = is_local or subscribed == SUBSCRIBED
    return {"state": "playable" if is_playable else "receivable", "subscribed": subscribed}
