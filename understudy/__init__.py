"""The understudy: a local, wire-level stand-in for the Gemini Live API."""

from understudy.faults import Misbehaviour
from understudy.server import Understudy

__all__ = ["Misbehaviour", "Understudy"]
