import { en } from './en'
import { ja, type Words } from './ja'
import type { Pair } from './pair'

export type Language = 'ja' | 'en'

const KEY = 'renraku.language'
const dictionaries: Record<Language, Words> = { ja, en }

function chosen(): Language {
  try {
    return localStorage.getItem(KEY) === 'en' ? 'en' : 'ja'
  } catch {
    // Storage is switched off: Japanese each time is better than no page.
    return 'ja'
  }
}

class Text {
  language = $state<Language>(chosen())
  readonly words = $derived(dictionaries[this.language])

  /** The words of a part of the page that brings its own (`text/words/`), so that they are loaded with it. */
  of<Own>(words: Pair<Own>): Own {
    return words[this.language]
  }

  switchTo(language: Language): void {
    this.language = language
    document.documentElement.lang = language
    try {
      localStorage.setItem(KEY, language)
    } catch {
      // See above.
    }
  }

  /** One after the other: Japanese puts nothing between sentences. */
  sentences(...said: string[]): string {
    return said.filter(Boolean).join(this.language === 'ja' ? '' : ' ')
  }

  /** The sentence of an error in the reader's language; its number for the faults an administrator must hear of. */
  problem(problem: { code: number; ja: string; en: string }): string {
    return this.language === 'ja' ? problem.ja : problem.en
  }

  /** The same for whatever a call was rejected with; `unreachable` where the server said nothing. */
  anyProblem(error: unknown, unreachable: string): string {
    const told = error as { code?: unknown; ja?: unknown } | null
    return typeof told?.code === 'number' && typeof told.ja === 'string'
      ? this.problem(error as { code: number; ja: string; en: string })
      : unreachable
  }
}

export const text = new Text()
document.documentElement.lang = text.language
