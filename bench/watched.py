"""An understudy that says on SIGUSR1, as a line of JSON, what its process holds on to."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict

from bench.holdings import Holdings
from understudy.__main__ import main


def _say(*_: object) -> None:
    # Not by print: a signal may come while something is being printed.
    os.write(sys.stdout.fileno(), (json.dumps(asdict(Holdings.here())) + "\n").encode())


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _say)
    sys.exit(main())
