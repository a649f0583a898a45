/** Sentences of the server's, in another language. No browser. */

/**
 * By what the server says. `{name}` stands for what differs from one time to the next; in the
 * translation it is that, itself translated where it is a sentence.
 */
export type Translations = Readonly<Record<string, string>>;

/** What is not known stays as it is. */
export function translate(sentence: string, translations: Translations): string {
  if (Object.hasOwn(translations, sentence)) return translations[sentence]!;
  for (const [said, translation] of Object.entries(translations)) {
    const values = said.includes("{") && patternOf(said).exec(sentence)?.groups;
    if (values)
      return translation.replace(/\{(\w+)\}/g, (_, name) => translate(values[name]!, translations));
  }
  return sentence;
}

function patternOf(said: string): RegExp {
  const literal = said.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, "(?<$1>.+)")}$`);
}
