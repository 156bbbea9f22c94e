import { tick } from 'svelte'
import type { Message } from '../protocol/types'
import { Heights } from './heights'
import type { Row } from './rows'
import { Scrolling } from './scrolling'
import { between, ending, type Part, parts, type Range } from './window'

/** More rows than are in sight, either way, in screens: scrolling must not run into emptiness. */
const AHEAD = 1
const AT_LEAST = 0.4
/** On the first frame of a room: what is in sight, and little more. */
const FIRST_SCREEN = 1.05

export interface Watched {
  rows(): readonly Row[]
  /** The last row is the newest message. */
  latest(): boolean
}

/** Which rows of a timeline stand on the page, and where the reader is among them. */
export class Viewport {
  readonly heights = new Heights()
  readonly #watched: Watched
  /** The first and the last row on the page by their keys; the end if there is no last one. */
  #keys = $state.raw<{ first: string; last: string | null } | null>(null)
  #held = $state.raw<ReadonlySet<string>>(new Set())
  #index = $derived.by(() => new Map(this.#watched.rows().map((row, at) => [row.key, at])))
  readonly #range: Range = $derived.by(() => this.#find())
  readonly parts: Part<Row>[] = $derived.by(() => {
    const rows = this.#watched.rows()
    return parts(rows, this.#tall(), this.#range, this.#held)
  })
  scrolling: Scrolling | null = null
  #box: HTMLElement | null = null
  #content: HTMLElement | null = null

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** `content` holds the rows and nothing else. */
  attach(box: HTMLElement, content: HTMLElement): void {
    this.#box = box
    this.#content = content
    this.scrolling = new Scrolling(box)
  }

  row(key: string): HTMLElement | null {
    return this.#content?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null
  }

  /** Begins at the end, or around a row; where it is then is for `scrolling` to say. */
  begin(around?: string): void {
    const rows = this.#watched.rows()
    const at = around === undefined ? undefined : this.#index.get(around)
    if (at === undefined) {
      this.#keys = null
      return
    }
    const height = this.#box?.clientHeight ?? innerHeight
    const tall = this.#tall()
    const above = ending(tall.slice(0, at), height * 0.6)
    const below = between(tall.slice(at), 0, height * FIRST_SCREEN)
    this.#keys = { first: rows[above.from]!.key, last: rows[Math.max(at, at + below.to - 1)]!.key }
  }

  /** Brings a row to the page and into sight. */
  async reveal(key: string): Promise<HTMLElement | null> {
    this.begin(key)
    await tick()
    const row = this.row(key)
    if (row !== null) this.scrolling?.toRow(row)
    this.measure()
    return row
  }

  /** Takes the heights of the rows on the page, and what the others' are guessed by. The browser lays the page out for it. */
  measure(): void {
    if (this.#content === null) return
    const rows = this.#watched.rows()
    this.heights.width = this.#content.clientWidth
    this.heights.size = parseFloat(getComputedStyle(this.#content).fontSize)
    for (const row of this.#content.querySelectorAll<HTMLElement>('[data-row]')) {
      const known = rows[this.#index.get(row.dataset.key ?? '') ?? -1]
      if (known !== undefined) this.heights.set(known, row.getBoundingClientRect().height)
    }
  }

  /** After scrolling: where the reader is; if `exchange`, other rows stand on the page where they come near their end. */
  look(exchange: boolean): { first: Message | undefined; above: number; below: number } {
    const rows = this.#watched.rows()
    if (this.#box === null || this.#content === null) return { first: undefined, above: 0, below: 0 }
    const height = this.#box.clientHeight
    const top = this.#box.getBoundingClientRect().top - this.#content.getBoundingClientRect().top
    const tall = this.#tall()
    const range = this.#range
    const near = between(tall, top - AT_LEAST * height, top + (1 + AT_LEAST) * height)
    const wanted = between(tall, top - AHEAD * height, top + (1 + AHEAD) * height)
    const tooFew = near.from < range.from || near.to > range.to
    const tooMany = range.to - range.from > 2 * (wanted.to - wanted.from) + 8
    if (exchange && rows.length > 0 && (tooFew || tooMany)) {
      // Scrolled past all rows, as when they became fewer: the last of them is what there is to show.
      const from = Math.min(wanted.from, rows.length - 1)
      const to = Math.max(wanted.to, from + 1)
      const last = to >= rows.length && this.#watched.latest() ? null : rows[to - 1]!.key
      this.#keys = { first: rows[from]!.key, last }
      this.#hold()
      this.heights.keepOnly(rows)
    }
    const sight = between(tall, top, top + height)
    const sum = (from: number, to: number) => tall.slice(from, to).reduce((all, one) => all + one, 0)
    const first = rows.slice(sight.from).find((row) => row.type === 'message')?.message
    return { first, above: top, below: sum(0, rows.length) - top - height }
  }

  /** Whoever has the focus in a row, or selects from it, must not lose it by scrolling. */
  #hold(): void {
    const selection = getSelection()
    const nodes = [document.activeElement, ...(selection?.isCollapsed === false ? [selection.anchorNode, selection.focusNode] : [])]
    const keys = nodes.flatMap((node) => {
      const element = node instanceof Element ? node : (node?.parentElement ?? null)
      const row = this.#content?.contains(element) ? element?.closest<HTMLElement>('[data-key]') : null
      return row?.dataset.key === undefined ? [] : [row.dataset.key]
    })
    if (keys.length !== this.#held.size || keys.some((key) => !this.#held.has(key))) this.#held = new Set(keys)
  }

  #tall(): number[] {
    return this.#watched.rows().map((row) => this.heights.of(row))
  }

  #find(): Range {
    const rows = this.#watched.rows()
    const from = this.#keys === null ? undefined : this.#index.get(this.#keys.first)
    const last = this.#keys?.last
    const to = last === null ? rows.length - 1 : last === undefined ? undefined : this.#index.get(last)
    if (from !== undefined && to !== undefined && from <= to) return { from, to: to + 1 }
    return ending(this.#tall(), (this.#box?.clientHeight ?? innerHeight) * FIRST_SCREEN)
  }
}
