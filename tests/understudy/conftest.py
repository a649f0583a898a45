"""Event loops: what opens sockets is tested on asyncio's own and on uvloop's."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

_WITH_SOCKETS = {
    "test_conformance",
    "test_control",
    "test_faults_closing",
    "test_faults_wire",
    "test_tokens",
}


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    own = {"asyncio": asyncio.new_event_loop}
    if item.path.stem in _WITH_SOCKETS:
        return {**own, "uvloop": uvloop.new_event_loop}
    return own
