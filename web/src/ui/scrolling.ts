/** Nearer to the end than this counts as being there. */
const NEAR_END = 48

/**
 * Keeps what one reads where it is: at the newest message while one is there, else at the row under the eyes, whatever
 * is added, measured or let go above or below. The browsers' own anchoring is off (Safari has none, and Chromium's
 * fails at the very top), so that all of them do the same.
 */
export class Scrolling {
  readonly #box: HTMLElement
  #anchor: { row: HTMLElement; top: number } | null = null
  #height = 0
  #room = 0
  #atEnd = true
  /** The last row is the newest message: who is there stays there. */
  #latest = true

  constructor(box: HTMLElement) {
    this.#box = box
  }

  get atEnd(): boolean {
    return this.#atEnd && this.#latest
  }

  set latest(latest: boolean) {
    if (latest && !this.#latest) this.#atEnd = false
    this.#latest = latest
  }

  /** On each scroll event. One that comes from a change of size is not the reader's wish to leave the end. */
  moved(): void {
    if (this.atEnd && (this.#box.scrollHeight !== this.#height || this.#box.clientHeight !== this.#room)) {
      this.toEnd()
      return
    }
    this.#atEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END
  }

  /** Before rows change, and wherever scrolling ends: remember the first one in sight. */
  remember(): void {
    const edge = this.#box.getBoundingClientRect().top
    for (const row of this.#rows()) {
      const { top, bottom } = row.getBoundingClientRect()
      // No line of a day: it moves up when older messages of that day arrive.
      if (row.dataset.seq !== undefined && bottom > edge) {
        this.#anchor = { row, top }
        return
      }
    }
    this.#anchor = null
  }

  /** After rows or sizes changed, before the reader scrolls on: what moved by itself is moved back. */
  restore(): void {
    if (this.atEnd) {
      this.toEnd()
    } else if (this.#anchor?.row.isConnected) {
      // Not by how far the box scrolled: browsers do that by themselves where what is below became shorter.
      // By whole pixels, because boxes scroll by no others: what is left is half of one at most, and adds up to nothing.
      const moved = Math.round(this.#anchor.row.getBoundingClientRect().top - this.#anchor.top)
      if (moved !== 0) this.#box.scrollTop += moved
    }
  }

  toEnd(): void {
    this.#height = this.#box.scrollHeight
    this.#room = this.#box.clientHeight
    this.#box.scrollTop = this.#height
    this.#atEnd = true
  }

  /** So that `row` stands a quarter down the screen, with what came before it above. */
  toRow(row: HTMLElement): void {
    const box = this.#box.getBoundingClientRect()
    this.#box.scrollTop += row.getBoundingClientRect().top - box.top - box.height / 4
    this.#atEnd = false
    this.moved()
    this.remember()
  }

  /** The last message whose end is in sight. */
  lastSeen(): number | null {
    const edge = this.#box.getBoundingClientRect().bottom + 1
    for (const row of this.#rows().reverse()) {
      const { seq } = row.dataset
      if (seq !== undefined && row.getBoundingClientRect().bottom <= edge) return Number(seq)
    }
    return null
  }

  #rows(): HTMLElement[] {
    return [...this.#box.querySelectorAll<HTMLElement>('[data-row]')]
  }
}
