/** Which language the page speaks: as its address says, as was chosen before, as the browser does. */
import { languageOf, type Language } from "./words";

const KEY = "salon-language";

/** A browser may keep pages from remembering anything. */
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function preferredLanguage(asked: string | null): Language {
  return languageOf([asked, remembered(), ...navigator.languages]);
}

export function remember(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Then it is asked for again next time.
  }
}
