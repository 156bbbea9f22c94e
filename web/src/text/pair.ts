/** The sentences of one part of the page in both languages, beside each other: what one has, the other must have. */
export interface Pair<Words> {
  ja: Words
  en: Words
}

export function pair<Words>(ja: Words, en: NoInfer<Words>): Pair<Words> {
  return { ja, en }
}
