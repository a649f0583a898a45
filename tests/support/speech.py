"""Real speech for tests, made by the understudy's own voice in a process of its own."""

import functools
import subprocess
import sys

import numpy as np

from pipeline.settings import ROOT

# The voice's library is under the GPL: it is loaded by the understudy's processes only.
_SPEAK = """
import sys
from understudy.espeak import speak
sys.stdout.buffer.write(speak(sys.argv[1], voices=("en-us+m3",), pitch=50))
"""


@functools.cache
def speech(text: str) -> np.ndarray:
    """A sentence as int16 mono samples at 48 kHz."""
    made = subprocess.run(
        [sys.executable, "-c", _SPEAK, text], cwd=ROOT, capture_output=True, check=True
    )
    return np.repeat(np.frombuffer(made.stdout, np.int16), 2)
