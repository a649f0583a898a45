import pytest
from pydantic import ValidationError

from pipeline.settings import SettingsError, load_settings
from serving.access import api_keys
from serving.access.api_keys import ApiKeys
from tests.access.support import KEY, OTHER_KEY, settings


@pytest.fixture
def keys():
    return ApiKeys(settings(SALON_API_KEYS=f" website:{KEY} , phone:{OTHER_KEY},"))


def test_a_key_says_whose_it_is(keys):
    assert keys.name(KEY) == "website"
    assert keys.name(OTHER_KEY) == "phone"


@pytest.mark.parametrize(
    "key", ["", KEY[:-1], KEY + "0", KEY.upper(), f"website:{KEY}", "website", "\udcff", "ключ" * 8]
)
def test_nothing_else_is_a_key(keys, key):
    assert keys.name(key) is None


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY, OTHER_KEY])
def test_every_key_is_compared_whichever_fits(keys, key, monkeypatch):
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(api_keys.hmac, "compare_digest", compare)
    keys.name(key)
    assert compared == [(32, 32)] * 2  # hashes, and none is left out


def test_without_keys_there_are_none():
    assert ApiKeys(settings()).name("") is None


def test_a_key_may_have_a_colon():
    key = "with:colons:in:it"
    assert ApiKeys(settings(SALON_API_KEYS=f"a:{key}")).name(key) == "a"


@pytest.mark.parametrize(
    "text",
    [
        "onlyakeythatislongenough",
        f":{KEY}",
        f"website {KEY}",
        "website:tooshort",
        f"two words:{KEY}",
        f"website:{KEY} and more",
        f"website:{KEY},website:{OTHER_KEY}",
        f"website:{KEY},phone:{KEY}",
        f"website:{'k' * 513}",
    ],
)
def test_keys_that_can_not_be_meant_are_refused_without_showing_them(monkeypatch, text):
    monkeypatch.setenv("SALON_API_KEYS", text)
    with pytest.raises(SettingsError) as error:
        load_settings(env_file=None)
    sentence = str(error.value)
    assert sentence.startswith("SALON_API_KEYS must be different names and keys of 16 characters")
    assert KEY not in sentence and "tooshort" not in sentence


def test_keys_do_not_show():
    own = settings(SALON_API_KEYS=f"website:{KEY}")
    assert KEY not in repr(own) + repr(own.api_key_list) + own.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SALON_TOKEN_SECRET", "short"),
        ("SALON_OIDC_ISSUER", "http://login.example.com"),
        ("SALON_OIDC_ISSUER", "http://127.0.0.1.example.com"),
        ("SALON_OIDC_ISSUER", "login.example.com"),
        ("SALON_ALLOWED_ORIGINS", "*"),
        ("SALON_ALLOWED_ORIGINS", "https://*.example.com"),
        ("SALON_ALLOWED_ORIGINS", "https://example.com/page"),
        ("SALON_ALLOWED_ORIGINS", "example.com"),
        ("SALON_ALLOWED_HOSTS", "*"),
        ("SALON_ALLOWED_HOSTS", "https://example.com"),
        ("SALON_STARTS_PER_MINUTE", "0"),
        ("DAILY_PINLESS_HMAC_SECRET", "not base64!"),
        ("DAILY_WEBHOOK_HMAC_SECRET", "c2hvcnQ="),
    ],
)
def test_what_would_leave_a_door_open_is_refused(name, value):
    with pytest.raises(ValidationError):
        settings(**{name: value})
