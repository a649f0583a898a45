import json

import pytest

from understudy.routes import LiveRoute, ModelsRoute, check_key, models_body, note, route

LIVE = "ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


@pytest.mark.parametrize("prefix", ["/", "//", "/gw/x/", "/pre//", "///a///"])
def test_prefixes_and_repeated_slashes(prefix):
    assert route(prefix + LIVE, {}) == LiveRoute("v1beta", None)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_versions(version):
    assert route("/" + LIVE.replace("v1beta", version), {}) == LiveRoute(version, None)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"x-goog-api-key": "k"}),
        ("?key=k", {}),
        ("?alt=ws&access_token=k", {}),
        ("", {"authorization": "Token k"}),
    ],
)
def test_where_a_key_may_be(query, headers):
    assert route(f"/{LIVE}{query}", headers) == LiveRoute("v1beta", "k")


@pytest.mark.parametrize(
    ("query", "headers", "credentials"),
    [
        ("", {}, []),
        ("?key=k", {}, ["key"]),
        (
            "",
            {"x-goog-api-key": "auth_tokens/1", "authorization": "Token auth_tokens/1"},
            ["token"],
        ),
        ("?access_token=auth_tokens/1", {"x-goog-api-key": "k"}, ["key", "token"]),
    ],
)
def test_the_record_tells_which_credentials_came_but_not_what_they_are(query, headers, credentials):
    noted = note(f"/{LIVE}{query}", {**headers, "user-agent": "curl"})
    assert noted == {"credentials": credentials, "client": "curl"}


def test_the_record_tells_what_a_client_calls_itself():
    headers = {"user-agent": "python", "x-goog-api-client": "google-genai-sdk/2.34.0"}
    assert note(f"/{LIVE}", headers)["client"] == "google-genai-sdk/2.34.0"
    assert note(f"/{LIVE}", {})["client"] == ""
    assert note(f"/{LIVE}", {"user-agent": "x" * 201})["client"] == "x" * 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/ws",
        f"/{LIVE}Constrained",
        "/v1/auth_tokens",
        "/" + LIVE.replace("v1beta", "v2"),
        f"/{LIVE}/more",
    ],
)
def test_other_places_do_not_exist(path):
    assert route(path, {}) is None


def test_models():
    assert route("//v1beta/models?pageSize=5", {}) == ModelsRoute(None)
    assert route("/v1/models/gemini-3.8-live", {}) == ModelsRoute("gemini-3.8-live")
    body = models_body(None)
    assert body and "models/gemini-3.8-live" in [m["name"] for m in json.loads(body)["models"]]
    one = models_body("gemini-3.8-live")
    assert one and json.loads(one)["supportedGenerationMethods"] == ["bidiGenerateContent"]
    assert models_body("gpt") is None


def test_keys():
    assert check_key("anything", None) is None
    assert check_key("k", {"k"}) is None
    for refused in (check_key("invalid-1", None), check_key("other", {"k"})):
        assert refused
        assert refused.code == 1007
        assert refused.reason == "API key not valid. Please pass a valid API key."
    missing = check_key(None, None)
    assert missing and missing.code == 1008
