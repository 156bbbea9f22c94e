/** Nearer to the end than this counts as being there. */
const NEAR_END = 48

/** A place on the screen that is to stay: an edge of a row, and where it was (`at`) and was left (`left`), in CSS pixels. */
interface Anchor {
  row: HTMLElement
  edge: 'top' | 'bottom'
  at: number
  left: number
}

/**
 * Keeps what one reads where it is: at the newest message while one is there, else at the row under the eyes, whatever
 * is added, measured or let go above or below. The browsers' own anchoring is off (Safari has none, and Chromium's
 * fails at the very top), so that all of them do the same.
 */
export class Scrolling {
  readonly #box: HTMLElement
  #anchor: Anchor | null = null
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

  /**
   * Before rows change, and wherever scrolling ends: remember the first one in sight. By its lower edge where that is in sight:
   * a row that turns out to continue the one before it loses its author's line, and what stands below must not follow.
   */
  remember(): void {
    const sight = this.#box.getBoundingClientRect()
    for (const row of this.#rows()) {
      const place = row.getBoundingClientRect()
      // No line of a day: it moves up when older messages of that day arrive.
      if (row.dataset.seq !== undefined && place.bottom > sight.top) {
        const edge = place.bottom <= sight.bottom ? 'bottom' : 'top'
        const before = this.#anchor
        // Nobody scrolled since: what rounding left is not forgotten, or it would add up from one change to the next.
        const same = before?.row === row && before.edge === edge && before.left === place[edge]
        this.#anchor = { row, edge, at: same ? before.at : place[edge], left: place[edge] }
        return
      }
    }
    this.#anchor = null
  }

  /** After rows or sizes changed, before the reader scrolls on: what moved by itself is moved back. */
  restore(): void {
    const anchor = this.#anchor
    if (this.atEnd) {
      this.toEnd()
    } else if (anchor?.row.isConnected) {
      const now = () => anchor.row.getBoundingClientRect()[anchor.edge]
      // Not by how far the box scrolled: browsers do that by themselves where what is below became shorter.
      // By whole pixels, because boxes scroll by no others: what is left is half of one at most.
      const moved = Math.round(now() - anchor.at)
      if (moved !== 0) this.#box.scrollTop += moved
      anchor.left = now()
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
