import { Problem } from '../protocol/problem'
import { text } from '../text/words.svelte'
import { acts } from '../text/words/acts'

const STAYS = 8_000

/** What can be done next about it. */
interface Next {
  label: string
  run: () => void
}

/** One sentence about what was just done or could not be done; shown above the composer, and read out. */
class Notice {
  said = $state('')
  failed = $state(false)
  next = $state.raw<Next | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  tell(said: string, failed = false, next: Next | null = null): void {
    this.said = said
    this.failed = failed
    this.next = next
    clearTimeout(this.#timer)
    // What failed stays until something else is said or the person puts it away.
    if (said !== '' && !failed) this.#timer = setTimeout(() => (this.said = ''), STAYS)
  }

  /** Why something could not be done. */
  failure(error: unknown): void {
    this.tell(error instanceof Problem ? text.problem(error) : text.of(acts).unreachable, true)
  }

  clear(): void {
    this.tell('')
  }
}

export const notice = new Notice()
