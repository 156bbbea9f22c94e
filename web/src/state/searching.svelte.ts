import { findingApi, type Question } from '../protocol/findingApi'
import { Problem } from '../protocol/problem'
import type { Found, FoundKind } from '../protocol/findingTypes'
import type { RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { per } from './per'

const PAGE = 30
/** Between two letters of somebody who types. */
const PAUSE = 250

export interface Narrowing {
  room: RoomId | ''
  /** The author. */
  by: { id: string; name: string } | null
  department: string
  kind: FoundKind | ''
  /** YYYY-MM-DD in the seeker's own days, both included; empty: any. */
  since: string
  until: string
}

const ANY: Narrowing = { room: '', by: null, department: '', kind: '', since: '', until: '' }

/** What a person looks for, and what was found so far. It stays as it is while they look at a hit and come back. */
export class Searching {
  words = $state('')
  narrowing = $state.raw<Narrowing>(ANY)
  items = $state.raw<readonly Found[]>([])
  status = $state<'idle' | 'loading' | 'ready' | 'failed'>('idle')
  /** Why the server will not answer. */
  problem = $state.raw<Problem | null>(null)
  complete = $state(true)
  /** Where one was in the list. */
  scroll = 0
  readonly narrowed: number = $derived(
    [this.narrowing.room, this.narrowing.by?.id, this.narrowing.department, this.narrowing.kind, this.narrowing.since || this.narrowing.until].filter(Boolean).length,
  )
  readonly #find: ReturnType<typeof findingApi>
  #next: string | null = null
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(client: Pick<Client, 'api'>) {
    this.#find = findingApi(client.api)
  }

  type(words: string): void {
    this.words = words
    this.#later(PAUSE)
  }

  narrow(change: Partial<Narrowing>): void {
    this.narrowing = { ...this.narrowing, ...change }
    this.#later(0)
  }

  widen(): void {
    this.narrow(ANY)
  }

  /** From a room's header: in this room, and nothing else of what was looked for before. */
  within(room: RoomId): void {
    if (this.narrowing.room === room) return
    this.words = ''
    this.narrow({ ...ANY, room })
  }

  /** From a person's card: what they wrote. */
  of({ id, name }: { id: string; name: string }): void {
    this.narrow({ ...ANY, by: { id, name } })
  }

  more(): void {
    if (this.status === 'ready' && !this.complete) void this.#ask(false)
  }

  again(): void {
    void this.#ask(this.items.length === 0)
  }

  #later(delay: number): void {
    clearTimeout(this.#timer)
    // What is on its way answers another question.
    this.#asked += 1
    this.problem = null
    if (this.words.trim() === '') {
      this.items = []
      this.status = 'idle'
      return
    }
    this.status = 'loading'
    this.#timer = setTimeout(() => void this.#ask(true), delay)
  }

  async #ask(fresh: boolean): Promise<void> {
    const asked = ++this.#asked
    this.status = 'loading'
    this.problem = null
    try {
      let cursor = fresh ? null : this.#next
      let found: Found[] = []
      // A page may be empty, and still have a next one.
      do {
        const page = await this.#find.search({ ...this.#question(), ...(cursor === null ? {} : { cursor }) })
        if (asked !== this.#asked) return
        found = page.items
        cursor = page.next
      } while (found.length === 0 && cursor !== null)
      if (fresh) this.scroll = 0
      this.items = fresh ? found : [...this.items, ...found]
      this.#next = cursor
      this.complete = cursor === null
      this.status = 'ready'
    } catch (error) {
      if (asked !== this.#asked) return
      this.problem = error instanceof Problem ? error : null
      if (fresh) this.items = []
      this.status = 'failed'
    }
  }

  #question(): Question {
    const { room, by, department, kind, since, until } = this.narrowing
    return {
      words: this.words.trim().slice(0, 200),
      limit: PAGE,
      ...(room === '' ? {} : { room }),
      ...(by === null ? {} : { by: by.id }),
      ...(department === '' ? {} : { department }),
      ...(kind === '' ? {} : { kinds: [kind] }),
      ...(since === '' ? {} : { since: midnight(since, 0) }),
      ...(until === '' ? {} : { until: midnight(until, 1) }),
    }
  }
}

function midnight(day: string, after: number): number {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number)
  return new Date(year, month - 1, date + after).getTime()
}

export const searchingOf = per((client) => new Searching(client))
