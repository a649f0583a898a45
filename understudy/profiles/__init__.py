"""The model families the understudy can play. A new one is a file here and a line below."""

from __future__ import annotations

from understudy.profiles import (
    gemini_2_5_flash_native_audio,
    gemini_3_1_flash_live_preview,
    gemini_3_8_live,
    gemini_3_8_live_extended_thinking,
    gemini_live_2_5_flash,
)
from understudy.profiles.base import Profile

PROFILES: dict[str, Profile] = {
    module.PROFILE.name: module.PROFILE
    for module in (
        gemini_3_8_live,
        gemini_3_8_live_extended_thinking,
        gemini_3_1_flash_live_preview,
        gemini_2_5_flash_native_audio,
        gemini_live_2_5_flash,
    )
}

__all__ = ["PROFILES", "Profile", "profile_for"]


def profile_for(model: str) -> Profile | None:
    """Returns the family of a model id (without `models/`), or None when it is unknown."""
    return next((profile for profile in PROFILES.values() if model in profile.models), None)
