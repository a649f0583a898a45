"""What is told by voice, and not by the model, in words for a caller. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.refusals import Verdict


class Announcement(StrEnum):
    """Each sentence, in English.

    Why a conversation failed is told by what it means for the caller; the page and the log have
    the details, such as which variable to check.
    """

    RECONNECTING = "One moment, please, I am reconnecting."
    FORBIDDEN = "I am sorry, I can't go on: access to the model was refused. Goodbye."
    UNACCEPTABLE = "I am sorry, I can't go on: the model does not accept my settings. Goodbye."
    PASSING = "I am sorry, I can't go on: the connection to the model keeps breaking. Goodbye."
    UNREACHABLE = "I am sorry, I can't go on: the model can't be reached. Goodbye."
    TIME_IS_OVER = "The time of this session is over. Goodbye."
    NOBODY_SPEAKS = "Nobody has spoken for a while. Goodbye."
    ENDING_SOON = "This conversation will end soon."
    LIMIT_IS_REACHED = "The limit of this session is reached. Goodbye."
    BROKEN = "I am sorry, something broke here. Please call again. Goodbye."
    BUSY = "All lines are busy. Please call again later. Goodbye."
    STILL_THERE = "Are you still there?"
    NO_ANSWER_FROM_YOU = "I can't hear anybody. Goodbye."
    ENDING = "Goodbye."


FAILURES = {
    Verdict.FORBIDDEN: Announcement.FORBIDDEN,
    Verdict.UNACCEPTABLE: Announcement.UNACCEPTABLE,
    Verdict.STALE: Announcement.UNACCEPTABLE,
    Verdict.PASSING: Announcement.PASSING,
    Verdict.UNREACHABLE: Announcement.UNREACHABLE,
}
"""What is said when the link to the model has failed for good, by why."""

ON_THE_PHONE = (
    Announcement.STILL_THERE,
    Announcement.NO_ANSWER_FROM_YOU,
    Announcement.ENDING,
)
"""What may have to be said by telephone at any moment."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A sentence and who can say it.

    Parameters:
        text: The sentence.
        voice: A voice of espeak-ng.
    """

    text: str
    voice: str


_CHINESE = {
    Announcement.RECONNECTING: "请稍等，我正在重新连接。",
    Announcement.FORBIDDEN: "很抱歉，我无法继续：对模型的访问被拒绝了。再见。",
    Announcement.UNACCEPTABLE: "很抱歉，我无法继续：模型不接受我的设置。再见。",
    Announcement.PASSING: "很抱歉，我无法继续：与模型的连接一再中断。再见。",
    Announcement.UNREACHABLE: "很抱歉，我无法继续：联系不上模型。再见。",
    Announcement.TIME_IS_OVER: "这次通话的时间到了。再见。",
    Announcement.NOBODY_SPEAKS: "已经有一会儿没有人说话了。再见。",
    Announcement.ENDING_SOON: "这次通话很快就要结束了。",
    Announcement.LIMIT_IS_REACHED: "已达到这次通话的上限。再见。",
    Announcement.BROKEN: "很抱歉，这里出了故障，请重新拨打。再见。",
    Announcement.BUSY: "所有线路都在忙，请稍后再拨。再见。",
    Announcement.STILL_THERE: "您还在吗？",
    Announcement.NO_ANSWER_FROM_YOU: "我听不到任何人的声音。再见。",
    Announcement.ENDING: "再见。",
}
_ENGLISH_VOICE = "en-us"
_TRANSLATIONS = {"zh": ("cmn", _CHINESE), "cmn": ("cmn", _CHINESE)}
"""By the first part of a language code: the voice, and all sentences."""


def in_language(announcement: Announcement, language: str) -> Words:
    """Puts an announcement into a language.

    Args:
        announcement: What is to be said.
        language: A code such as `zh-CN`; one that there are no sentences in is spoken to in
            English.
    """
    translated = _TRANSLATIONS.get(language.partition("-")[0].lower())
    if translated is None:
        return Words(text=announcement.value, voice=_ENGLISH_VOICE)
    voice, sentences = translated
    return Words(text=sentences[announcement], voice=voice)
