"""What all tests share."""

import pytest

from serving.ice import use_addresses
from tests.support.server import Server, running_server

CALLS = {"test_barge_in", "test_doors", "test_first_light", "test_leftovers", "test_page"}
"""Files of real calls, in real time: one at a time, or one hears what another's work does to it."""


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """Which tests run one after another when several processes share them (pytest-xdist)."""
    for item in items:
        group = "calls" if item.path.stem in CALLS else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def webrtc_stays_on_loopback():
    """aioice offers every address but loopback; here it offers only that."""
    use_addresses(["127.0.0.1"])


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Server:  # pyright: ignore
    """One server for all tests that only call it."""
    with running_server(tmp_path_factory.mktemp("server"), "--offline") as server:
        yield server  # pyright: ignore


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Show what the server did when a test of it fails."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, Server):
        report.sections.append(("the server's last lines", server.log()[-15_000:]))
        record = "\n".join(str(event) for event in server.record()[-60:])
        report.sections.append(("what last reached the understudy", record))
    return report
