import { type Calls } from '../protocol/roomsApi'
import { findingApi } from '../protocol/findingApi'
import type { Person } from '../protocol/types'

/** Between two letters of somebody who types. */
const PAUSE = 180

/** People by name, reading or login, as one types; answers that come late are dropped. */
export class PeopleSearch {
  items = $state.raw<readonly Person[]>([])
  status = $state<'idle' | 'loading' | 'ready' | 'failed'>('idle')
  complete = $state(true)
  /** What `items` answer to. */
  answered = $state('')
  readonly #find: ReturnType<typeof findingApi>
  readonly #limit: number
  #words = ''
  #department: string | null = null
  #next: string | null = null
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Calls, limit: number) {
    this.#find = findingApi(api)
    this.#limit = limit
  }

  /** Without words and without a department: nobody, or everybody if `all`. */
  look(words: string, department: string | null = null, all = false): void {
    clearTimeout(this.#timer)
    const sooner = department !== this.#department
    this.#words = words.trim()
    this.#department = department
    this.#asked += 1
    if (this.#words === '' && department === null && !all) {
      this.items = []
      this.answered = ''
      this.status = 'idle'
      return
    }
    this.status = 'loading'
    this.#timer = setTimeout(() => void this.#ask(true), sooner || this.#words === '' ? 0 : PAUSE)
  }

  again(): void {
    this.status = 'loading'
    void this.#ask(this.items.length === 0)
  }

  more(): void {
    if (this.status === 'ready' && !this.complete) void this.#ask(false)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#asked += 1
  }

  async #ask(fresh: boolean): Promise<void> {
    const asked = ++this.#asked
    const words = this.#words
    this.status = 'loading'
    try {
      const { items, next } = await this.#find.people({
        limit: this.#limit,
        ...(words === '' ? {} : { q: words.slice(0, 80) }),
        ...(this.#department === null ? {} : { department: this.#department }),
        ...(fresh || this.#next === null ? {} : { cursor: this.#next }),
      })
      if (asked !== this.#asked) return
      this.items = fresh ? items : [...this.items, ...items]
      this.#next = next
      this.complete = next === null
      this.answered = words
      this.status = 'ready'
    } catch {
      if (asked === this.#asked) this.status = 'failed'
    }
  }
}
