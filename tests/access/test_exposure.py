import pytest

from pipeline.settings import SettingsError
from serving.access.exposure import check_access, is_loopback, needs_credentials
from tests.access.support import KEY, settings

LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
REACHABLE = ["0.0.0.0", "::", "", "192.168.1.20", "2001:db8::1", "salon.local", "localhost.evil"]
OIDC = {"SALON_OIDC_ISSUER": "https://login.example.com", "SALON_OIDC_AUDIENCE": "salon"}


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_loopback_nothing_has_to_be_set(host):
    assert is_loopback(host)
    check_access(host, settings())


@pytest.mark.parametrize("host", REACHABLE)
def test_where_others_reach_it_a_server_without_access_does_not_start(host):
    assert not is_loopback(host)
    with pytest.raises(SettingsError) as error:
        check_access(host, settings())
    sentence = str(error.value)
    assert "\n" not in sentence
    assert all(name in sentence for name in ("SALON_API_KEYS", *OIDC, "SALON_OPEN_TO_NETWORK"))


@pytest.mark.parametrize("host", REACHABLE)
@pytest.mark.parametrize(
    "access",
    [{"SALON_API_KEYS": f"website:{KEY}"}, OIDC, {"SALON_OPEN_TO_NETWORK": "true"}],
    ids=["keys", "issuer", "open"],
)
def test_where_others_reach_it_one_of_three_settings_is_enough(host, access):
    check_access(host, settings(**access))


@pytest.mark.parametrize("missing", OIDC)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_an_issuer_without_an_audience_is_refused_anywhere(host, missing):
    given = {name: value for name, value in OIDC.items() if name != missing}
    with pytest.raises(SettingsError, match=f"^{missing} must be set too"):
        check_access(host, settings(**given))


@pytest.mark.parametrize(
    ("access", "needs"),
    [
        ({}, False),
        ({"SALON_OPEN_TO_NETWORK": "true"}, False),
        ({"SALON_API_KEYS": f"website:{KEY}"}, True),
        ({"SALON_API_KEYS": f"website:{KEY}", "SALON_OPEN_TO_NETWORK": "true"}, True),
        (OIDC, True),
    ],
)
def test_keys_or_an_issuer_make_everybody_say_who_they_are(access, needs):
    assert needs_credentials(settings(**access)) is needs
