"""The understudy: a local, wire-level stand-in for the Gemini Live API."""

from understudy.rules import ScenarioError
from understudy.server import Understudy

__all__ = ["ScenarioError", "Understudy"]
