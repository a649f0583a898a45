/** The page's words, in the language that was chosen. */
import { translate } from "./translation";
import { en } from "./words/en";
import { zh } from "./words/zh";

export type DeviceKind = "mic" | "cam" | "screen";

/** Why the browser did not hand over a device. */
export type DeviceTrouble = "refused" | "missing" | "busy" | "unsuitable" | "insecure" | "unknown";

/** Why a conversation can't go on in this page. */
export type WhyOver = "ended" | "elsewhere" | "unknown" | "unreachable";

export type Words = typeof en;

export type Language = "en" | "zh";

export const LANGUAGES: Record<Language, { name: string; words: Words }> = {
  en: { name: "English", words: en },
  zh: { name: "中文", words: zh },
};

/** What whoever uses it says from now on: a module sees the new value, too. */
export let words: Words = en;

let spoken: Language = "en";

export function speak(language: Language): void {
  spoken = language;
  words = LANGUAGES[language].words;
}

/** What the server says, in the page's language; what nobody has translated stays English. */
export function said(sentence: string): string {
  return translate(sentence, words.server);
}

/** The page's language. */
export function spokenLanguage(): Language {
  return spoken;
}

/** What a language is called in the page's: "zh-CN" → "Chinese (China)". */
export function languageName(code: string): string {
  return new Intl.DisplayNames([spoken], { type: "language" }).of(code) ?? code;
}

/** The first of some languages, in BCP 47, that the page speaks. */
export function languageOf(wanted: readonly (string | null | undefined)[]): Language {
  for (const tag of wanted) {
    const code = tag?.toLowerCase().split("-")[0];
    if (code !== undefined && code in LANGUAGES) return code as Language;
  }
  return "en";
}
