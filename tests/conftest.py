"""What all tests share."""

import pytest

from serving.ice import use_addresses
from tests.support.server import Server, running_server


@pytest.fixture(scope="session", autouse=True)
def webrtc_stays_on_loopback():
    """aioice offers every address but loopback; here it offers only that."""
    use_addresses(["127.0.0.1"])


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Server:  # pyright: ignore
    """One server for all tests that only call it."""
    with running_server(tmp_path_factory.mktemp("server"), "--offline") as server:
        yield server  # pyright: ignore
