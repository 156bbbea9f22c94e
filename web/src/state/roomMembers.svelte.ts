import { roomsApi, type Calls } from '../protocol/roomsApi'
import type { Member } from '../protocol/findingTypes'
import type { MeEvent, RoomEvent, RoomId } from '../protocol/types'

/** Between two letters of somebody who types. */
const PAUSE = 180
/** A few who come and go are looked up anew; in a hall of thousands the list is not. */
const FEW = 400
const SETTLED = 400

/** Who is in a room, in the server's order, as far as one has scrolled; or those that a word means. */
export class RoomMembers {
  items = $state.raw<readonly Member[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  complete = $state(false)
  words = $state('')
  readonly room: RoomId
  readonly #api: ReturnType<typeof roomsApi>
  #next: string | null = null
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(room: RoomId, api: Calls) {
    this.room = room
    this.#api = roomsApi(api)
  }

  load(): void {
    void this.#ask(true)
  }

  look(words: string): void {
    this.words = words
    this.status = 'loading'
    this.#later(PAUSE)
  }

  more(): void {
    if (this.status === 'ready' && !this.complete) void this.#ask(false)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#asked += 1
  }

  /** Keeps the list true while it is open. */
  happened(event: RoomEvent | MeEvent): void {
    if (event.op !== 'event' || event.room !== this.room || event.kind !== 'membership') return
    const { user, change, role } = event
    if (change === 'left' || change === 'removed') this.items = this.items.filter(({ id }) => id !== user.id)
    else if (this.items.some(({ id }) => id === user.id)) {
      this.items = this.items.map((member) => (member.id === user.id ? { ...member, role: role as Member['role'] } : member))
    } else if (this.items.length < FEW) this.#later(SETTLED)
  }

  #later(delay: number): void {
    clearTimeout(this.#timer)
    this.#asked += 1
    this.#timer = setTimeout(() => void this.#ask(true), delay)
  }

  async #ask(fresh: boolean): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    if (this.items.length === 0 || !fresh) this.status = 'loading'
    try {
      const { items, next } = await this.#api.members(this.room, fresh ? null : this.#next, this.words.trim().slice(0, 80))
      if (asked !== this.#asked) return
      const known = new Set(fresh ? [] : this.items.map(({ id }) => id))
      this.items = fresh ? items : [...this.items, ...items.filter(({ id }) => !known.has(id))]
      this.#next = next
      this.complete = next === null
      this.status = 'ready'
    } catch {
      if (asked === this.#asked) this.status = 'failed'
    }
  }
}
