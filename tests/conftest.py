"""What all tests share."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from serving.ice import use_addresses
from tests.page.fixtures import browser, chromiums, microphone, page, problems, view  # noqa: F401
from tests.support.server import Server, running_server

CALLS = {
    "test_barge_in",
    "test_chosen",
    "test_doors",
    "test_first_light",
    "test_ice",
    "test_leftovers",
    "test_page_told",
    "test_server_watched",
    "test_turn",
    "test_page_headers",
    "test_page_with_key",
    "test_resume",
    "test_stream_calls",
}
"""Files of real calls, in real time: one at a time, or one hears what another's work does to it."""
VISITS = {"test_screens", "test_accessibility"}
"""They share their visits to the page's states (`tests/page/conftest.py`)."""


TELEPHONE = {"daily", "phone", "streams", "rooms"}
"""Folders of calls in real time likewise; they are of two stand-ins, not of WebRTC."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]):
    """Leave out what costs something; mark what needs a browser; begin with what takes longest."""
    if "live" not in str(config.getoption("-m")):
        live = [item for item in items if item.get_closest_marker("live")]
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if item not in live]
    for item in items:
        if "page" in getattr(item, "fixturenames", ()) or item.path.parent.name == "page":
            item.add_marker(pytest.mark.page)
    items.sort(key=lambda item: group_of(item.nodeid).endswith(".py"))


class Scheduling(LoadScopeScheduling):
    """Shares tests among processes, group by group.

    The marks that pytest-xdist 3.8 has for it (`xdist_group`) are without effect in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Which tests run one after another when several processes share them (pytest-xdist)."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def group_of(nodeid: str) -> str:
    """What a test runs in line with: its file, which shares servers, or files of one kind."""
    path = Path(nodeid.partition("::")[0])
    if path.stem in VISITS:
        return "visits"
    if path.parent.name in TELEPHONE:
        return "telephone"
    return "calls" if path.stem in CALLS else str(path)


@pytest.fixture(scope="session", autouse=True)
def webrtc_stays_on_loopback():
    """aioice offers every address but loopback; here it offers only that."""
    use_addresses(["127.0.0.1"])


@pytest.fixture
def short_folder(tmp_path_factory) -> Path:
    """For a run folder: sockets are named in it, and the names of sockets are short."""
    return tmp_path_factory.mktemp("short")


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
