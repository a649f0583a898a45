"""Where a forked process enters; apart, so that the server need not load what sessions are made of."""

from typing import Any


def enter(*args: Any) -> None:
    """Run `inside.main`, which the forkserver has loaded already."""
    from serving.supervisor.inside import main

    main(*args)
