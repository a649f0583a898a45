import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.origins import Origins, is_start, origin_of
from serving.refused import Refused
from tests.access.support import head, refusal, settings

FRIEND = "https://www.example.com"
NO_NAME = (421, "This server does not go by that name; SALON_ALLOWED_HOSTS says which it has.")
FOREIGN = (403, "Pages from that origin may not use this server; see SALON_ALLOWED_ORIGINS.")
UNCLEAR = (400, "The Host header must name this server.")
WEBSOCKET = {"connection": "Upgrade", "upgrade": "websocket"}
PREFLIGHT = {"access_control_request_method": "POST"}


@pytest.fixture
def origins():
    allowed = {
        "SALON_ALLOWED_ORIGINS": f"{FRIEND}, http://other.example:8080",
        "SALON_ALLOWED_HOSTS": "salon.example.com",
    }
    return Origins.of(settings(**allowed), "0.0.0.0")


def asked(
    origins: Origins, method: str = "POST", path: str = "/start", **headers: str
) -> tuple[int, str] | None:
    """How a request fares; by default it names this server."""
    given = head(**{"host": "127.0.0.1:7860", **headers})
    try:
        origins.check(method, path, given, "192.0.2.7")
    except Refused as error:
        return refusal(error)


def test_a_program_that_is_no_browser_is_not_asked_for_an_origin(origins):
    assert asked(origins) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:7860", "http://127.0.0.1:7860"),
        ("localhost:7860", "http://localhost:7860"),
        ("LOCALHOST:7860", "http://localhost:7860"),
        ("[::1]:7860", "http://[::1]:7860"),
        ("salon.example.com", "https://salon.example.com"),
        ("salon.example.com:443", "https://salon.example.com"),
        ("salon.example.com", "http://salon.example.com:80"),
    ],
)
def test_the_servers_own_page_is_welcome(origins, host, origin):
    assert asked(origins, host=host, origin=origin) is None
    assert asked(origins, "GET", "/ws", host=host, origin=origin, **WEBSOCKET) is None


@pytest.mark.parametrize(
    "origin", [FRIEND, "https://www.example.com:443", "HTTPS://WWW.Example.com"]
)
def test_a_page_that_is_allowed_is_welcome(origins, origin):
    assert asked(origins, origin=origin) is None
    assert asked(origins, "OPTIONS", origin=origin, **PREFLIGHT) is None


STRANGERS = [
    "https://evil.example",
    "http://www.example.com",  # not TLS: anybody on the way could have written the page
    "https://www.example.com:8443",
    "https://www.example.com.evil.example",
    "https://evil.example/https://www.example.com",
    "https://evil.example?https://www.example.com",
    "https://www.example.com@evil.example",
    "https://sub.www.example.com",
    "http://127.0.0.1:9999",
    "http://127.0.0.1",
    "null",
    "",
    "*",
    "file://",
]


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_from_elsewhere_changes_nothing(origins, origin):
    for method in ("POST", "PATCH", "PUT", "DELETE", "PROPFIND", ""):
        assert asked(origins, method, "/sessions/x/api/offer", origin=origin) == FOREIGN


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_from_elsewhere_gets_no_web_socket(origins, origin):
    assert asked(origins, "GET", "/ws-client", origin=origin, **WEBSOCKET) == FOREIGN
    shouted = {**WEBSOCKET, "upgrade": "h2c, WebSocket"}
    assert asked(origins, "GET", "/ws-client", origin=origin, **shouted) == FOREIGN


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_from_elsewhere_is_not_even_told_what_it_might_do(origins, origin):
    assert asked(origins, "OPTIONS", origin=origin, **PREFLIGHT) == FOREIGN


@pytest.mark.parametrize("path", ["/daily", "/start", "/calls", "/calls/1"])
def test_a_link_or_a_picture_in_a_foreign_page_starts_no_call(origins, path):
    for site in ("cross-site", "same-site"):
        assert asked(origins, "GET", path, sec_fetch_site=site) == FOREIGN
    for site in ("none", "same-origin"):
        assert asked(origins, "GET", path, sec_fetch_site=site) is None


def test_a_link_in_a_foreign_page_opens_the_page(origins):
    assert asked(origins, "GET", "/", sec_fetch_site="cross-site") is None


def test_reading_is_the_browsers_to_refuse(origins):
    assert asked(origins, "GET", "/api/salon", origin="https://evil.example") is None


@pytest.mark.parametrize(
    ("path", "starts"),
    [("/start", True), ("/calls/7", True), ("/starting", False), ("/", False), ("/x/start", False)],
)
def test_what_starts_a_call(path, starts):
    assert is_start(path) is starts


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:80", "127.0.0.1", "[::1]:7860", "salon.example.com:7860"),
        *("SALON.example.com", "www.example.com", "other.example", "192.168.1.20:7860"),
        "[2001:db8::1]",
    ],
)
def test_the_server_answers_to_its_names_and_to_any_address(origins, host):
    assert asked(origins, "GET", "/", host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "salon.example.com.evil.example", "evil.example:7860", "localhost."),
        *("127.0.0.1.evil.example", "1.2.3", "x", "sub.salon.example.com"),
    ],
)
def test_a_name_that_was_made_to_point_here_gets_no_answer(origins, host):
    for method in ("GET", "POST", "OPTIONS"):
        assert asked(origins, method, "/", host=host) == NO_NAME
    assert asked(origins, "GET", "/ws", host=host, origin=f"http://{host}", **WEBSOCKET) == NO_NAME


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "a/b", "a@localhost", "localhost:", "localhost:x", "::1", "[::1", "a,b"],
)
def test_a_host_that_is_none_is_refused(origins, host):
    assert asked(origins, host=host) == UNCLEAR


def test_no_host_at_all_is_refused(origins):
    with pytest.raises(Refused) as error:
        origins.check("GET", "/", [], None)
    assert refusal(error.value) == UNCLEAR


@pytest.mark.parametrize("name", ["host", "origin", "sec-fetch-site"])
def test_a_header_that_two_readers_could_read_differently_is_refused(origins, name):
    values = {"host": b"localhost", "origin": b"http://localhost", "sec-fetch-site": b"none"}
    headers = [(b"host", b"localhost")] + [(name.encode(), values[name])] * 2
    with pytest.raises(Refused) as error:
        origins.check("POST", "/start", headers, None)
    assert refusal(error.value) == (400, f"There may be one {name.title()} header.")


def test_the_name_that_a_server_listens_on_is_its_own():
    assert asked(Origins.of(settings(), "salon.lan"), host="salon.lan:7860") is None
    assert asked(Origins.of(settings(), "0.0.0.0"), host="salon.lan:7860") == NO_NAME


def test_an_allowed_page_is_kept_as_browsers_write_it():
    assert origin_of("HTTPS://Example.com:443") == "https://example.com"
    assert origin_of("http://example.com:8080") == "http://example.com:8080"
    assert origin_of("https://example.com/") is None


def test_what_a_raw_connection_is_answered():
    error = Refused(429, "Not so fast; try again in 3 s.", {"Retry-After": "3"})
    first, *lines = error.http().decode().split("\r\n")
    assert first == "HTTP/1.1 429 Too Many Requests"
    assert lines[-2:] == ["", '{"detail": "Not so fast; try again in 3 s."}']
    assert {"Retry-After: 3", "Connection: close", "Content-Length: 44"} <= set(lines)


texts = st.text(max_size=40) | st.sampled_from(["localhost", *STRANGERS, FRIEND])
latin = texts.map(lambda text: text.encode("latin-1", "replace"))
names = st.sampled_from(
    [b"host", b"origin", b"upgrade", b"sec-fetch-site", b"access-control-request-method"]
)
heads = st.lists(
    st.tuples(names | st.binary(max_size=9), latin | st.binary(max_size=40)), max_size=8
)


@given(st.text(max_size=8), st.text(max_size=20), heads)
def test_any_head_is_let_through_or_refused_in_a_sentence(method, path, headers):
    try:
        Origins(origins=[FRIEND]).check(method, path, headers, None)
    except Refused as error:
        assert refusal(error)[0] in (400, 403, 421)


@given(latin)
def test_no_other_origin_is_welcome(origin):
    headers = [(b"host", b"localhost:7860"), (b"origin", origin)]
    welcome = (FRIEND, f"{FRIEND}:443", "http://localhost:7860", "https://localhost:7860")
    try:
        Origins(origins=[FRIEND]).check("POST", "/", headers, None)
    except Refused as error:
        assert refusal(error) == FOREIGN
    else:
        assert origin.decode("latin-1").strip().lower() in welcome
