import type { Component } from 'svelte'

/** Each dialog has properties of its own. */
type Load = () => Promise<{ default: Component<any> }>

/** What was done, in words, and what can be done next about it. */
export interface Said {
  words: string
  problem: boolean
  next: { label: string; run: () => void } | null
}

/** Long enough to read a sentence and to reach its button. */
const READ = 8_000

/** What lies over the page for a moment: one dialog that an act opened, and the word that an act was done. */
class Over {
  dialog = $state.raw<{ load: Load; props: Record<string, unknown> } | null>(null)
  said = $state.raw<Said | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `props`: the dialog is given `closed` besides. */
  open(load: Load, props: Record<string, unknown>): void {
    this.dialog = { load, props: { ...props, closed: () => (this.dialog = null) } }
  }

  say(words: string, next: Said['next'] = null): void {
    this.#say({ words, problem: false, next })
  }

  complain(words: string): void {
    this.#say({ words, problem: true, next: null })
  }

  hush(): void {
    clearTimeout(this.#timer)
    this.said = null
  }

  #say(said: Said): void {
    clearTimeout(this.#timer)
    this.said = said
    this.#timer = setTimeout(() => (this.said = null), READ)
  }
}

export const over = new Over()
