import { words } from './words'

export type Language = 'ja' | 'en'

const KEPT = 'renraku.handin.language'

/** As chosen here, else the first that the browser asks for; who asks for neither reads English rather than Japanese. */
function first(): Language {
  try {
    const kept = sessionStorage.getItem(KEPT)
    if (kept === 'ja' || kept === 'en') return kept
  } catch {
    // Without storage the browser's language alone.
  }
  return navigator.languages.map((name) => name.slice(0, 2)).find((name) => name === 'ja' || name === 'en') === 'ja' ? 'ja' : 'en'
}

class Say {
  language = $state<Language>(first())
  readonly words = $derived(words[this.language])

  constructor() {
    this.#tell()
  }

  switchTo(language: Language): void {
    this.language = language
    this.#tell()
    try {
      sessionStorage.setItem(KEPT, language)
    } catch {
      // See above.
    }
  }

  /** The server's sentence in the reader's language. */
  told(sentence: { ja: string; en: string }): string {
    return sentence[this.language]
  }

  #tell(): void {
    document.documentElement.lang = this.language
    document.title = words[this.language].title
  }
}

export const say = new Say()
