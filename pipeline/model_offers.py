"""What a Live model lets a caller choose: voices, languages, and whether it can write. Pure."""

VOICES = (
    "Achernar",
    "Achird",
    "Algenib",
    "Algieba",
    "Alnilam",
    "Aoede",
    "Autonoe",
    "Callirrhoe",
    "Charon",
    "Despina",
    "Enceladus",
    "Erinome",
    "Fenrir",
    "Gacrux",
    "Iapetus",
    "Kore",
    "Laomedeia",
    "Leda",
    "Orus",
    "Puck",
    "Pulcherrima",
    "Rasalgethi",
    "Sadachbia",
    "Sadaltager",
    "Schedar",
    "Sulafat",
    "Umbriel",
    "Vindemiatrix",
    "Zephyr",
    "Zubenelgenubi",
)
"""The prebuilt voices, which all Live models that speak have (Google's documentation)."""

LANGUAGES = (
    "ar-XA",
    "bn-IN",
    "cmn-CN",
    "de-DE",
    "en-AU",
    "en-GB",
    "en-IN",
    "en-US",
    "es-ES",
    "es-US",
    "fr-CA",
    "fr-FR",
    "gu-IN",
    "hi-IN",
    "id-ID",
    "it-IT",
    "ja-JP",
    "kn-IN",
    "ko-KR",
    "ml-IN",
    "mr-IN",
    "nl-NL",
    "pl-PL",
    "pt-BR",
    "ru-RU",
    "ta-IN",
    "te-IN",
    "th-TH",
    "tr-TR",
    "vi-VN",
)
"""The codes that the Live API takes, as Pipecat 1.14.0 lists them (`language_to_gemini_language`)."""

_WRITERS = (
    "gemini-live-2.5-flash",
    "gemini-3.5-live-translate-preview",
    "gemini-3.5-transcribe-live",
)
"""All others refuse the TEXT modality with 1007; for them what is said is its transcript."""


def languages(own: str) -> list[str]:
    """The languages that there are to choose, the server's own among them."""
    return sorted({*LANGUAGES, own})


def can_write(model: str) -> bool:
    """Whether a model answers in text when it is asked to."""
    return model.removeprefix("models/") in _WRITERS


def has_history(model: str) -> bool:
    """Whether a model's setup may say that history follows; those of the enterprise API refuse it."""
    return not model.removeprefix("models/").startswith("gemini-live-2.5-flash")
