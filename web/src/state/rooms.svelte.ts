import type { Api } from '../protocol/api'
import { Problem } from '../protocol/problem'
import type { Message, Room, RoomId, RoomInfo } from '../protocol/types'

/**
 * Milliseconds before asking for unread counts: soon when a room moves after a quiet while, ever more rarely while it
 * goes on (a thousand members must not ask a thousand times for each message), and rarely when nobody looks.
 */
const SOON = 500
const APART = 1_000
const SLOWEST = 20_000
const HIDDEN = 30_000
/** From so many changed rooms on, one list is cheaper than asking for each. */
const MANY = 3

export interface RoomGroup {
  name: 'memo' | 'announcements' | 'rooms'
  rooms: Room[]
}

/** The room list. Unread counts and mention flags are the server's: what an event may have changed is asked for. */
export class Rooms {
  #rooms = $state.raw<ReadonlyMap<RoomId, Room>>(new Map())
  loaded = $state(false)
  /** The list is the server's own of this visit. */
  fresh = $state(false)
  readonly groups: RoomGroup[] = $derived(grouped([...this.#rooms.values()]))
  readonly #api: Api
  readonly #listed: () => void
  readonly #random: () => number
  #heads = new Map<RoomId, number>()
  #changed = new Set<RoomId>()
  #all = true
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0
  #apart = APART
  #stopped = false

  /** `listed`: the whole list was loaded (again). */
  constructor(api: Api, listed: () => void, random: () => number = Math.random) {
    this.#api = api
    this.#listed = listed
    this.#random = random
  }

  get(room: RoomId): Room | undefined {
    return this.#rooms.get(room)
  }

  get all(): Room[] {
    return [...this.#rooms.values()]
  }

  /** An answer of the server: a room that was just made, joined or changed. */
  take(room: Room): void {
    this.#take(room)
  }

  /** What was kept on this device, until the server answers. */
  offer(rooms: Room[]): void {
    if (this.loaded) return
    this.#rooms = new Map(rooms.map((room) => [room.id, room]))
    this.loaded = true
    this.#listed()
  }

  /** Everything may have changed. */
  reload(): void {
    this.#all = true
    void this.#ask()
  }

  /** Ask for this room soon. */
  mark(room: RoomId): void {
    this.#changed.add(room)
    this.#later()
  }

  /** The network is back, or the page is looked at again. */
  wake(): void {
    if (this.#all || this.#changed.size > 0) void this.#ask()
  }

  /** The heads of a resume: a room that moved while we were away is asked for. */
  heads(heads: Record<RoomId, { head: number }>): void {
    if (!this.loaded) return
    for (const [room, { head }] of Object.entries(heads)) {
      this.#raise(room, head)
      if (this.#rooms.get(room)?.head !== head) this.mark(room)
    }
  }

  /** An event happened there. */
  moved(room: RoomId, seq: number): void {
    this.#raise(room, seq)
    const known = this.#rooms.get(room)
    if (known !== undefined && known.head < seq) this.#put({ ...known, head: seq })
  }

  wrote(room: RoomId, message: Message): void {
    const known = this.#rooms.get(room)
    if (known === undefined || (known.last !== null && known.last.at > message.at)) return
    this.#put({ ...known, last: { at: message.at, author: message.author.name, text: message.text ?? '' } })
  }

  described(info: RoomInfo): void {
    const known = this.#rooms.get(info.id)
    // A direct room is named after the other person, which the event does not know.
    if (known !== undefined && known.kind !== 'direct') this.#put({ ...known, ...info })
  }

  involved(room: RoomId, involvement: Room['involvement']): void {
    const known = this.#rooms.get(room)
    if (known !== undefined) this.#put({ ...known, involvement })
  }

  /** The server took our read marker. `all`: it stands at the last message there is, so by its own rule nothing is unread. */
  read(room: RoomId, upto: number, all: boolean): void {
    const known = this.#rooms.get(room)
    if (known === undefined) return
    const read = Math.max(known.read, upto)
    if (all) {
      this.#changed.delete(room)
      this.#put({ ...known, read, unread: 0, mentioned: false })
    } else {
      this.#put({ ...known, read })
      this.mark(room)
    }
  }

  remove(room: RoomId): void {
    if (!this.#rooms.has(room)) return
    const rooms = new Map(this.#rooms)
    rooms.delete(room)
    this.#rooms = rooms
    this.#changed.delete(room)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #raise(room: RoomId, seq: number): void {
    this.#heads.set(room, Math.max(seq, this.#heads.get(room) ?? 0))
  }

  #put(room: Room): void {
    this.#rooms = new Map(this.#rooms).set(room.id, room)
  }

  #later(): void {
    if (this.#timer !== undefined || this.#stopped) return
    // Spread, so that a thousand members do not ask in the same moment.
    const soon = SOON + SOON * this.#random()
    const since = Date.now() - this.#asked
    this.#apart = since > 2 * this.#apart ? APART : Math.min(SLOWEST, this.#apart * 1.5)
    const delay = document.visibilityState === 'hidden' ? HIDDEN : Math.max(soon, this.#apart - since)
    this.#timer = setTimeout(() => void this.#ask(), delay)
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#asked = Date.now()
    const all = this.#all || this.#changed.size > MANY
    const some = [...this.#changed]
    this.#all = false
    this.#changed.clear()
    try {
      if (all) this.#replace(await this.#api.rooms())
      else await Promise.all(some.map((room) => this.#one(room)))
    } catch {
      // `wake` asks again.
      this.#all ||= all
      for (const room of some) this.#changed.add(room)
    }
  }

  async #one(room: RoomId): Promise<void> {
    try {
      this.#take(await this.#api.room(room))
    } catch (error) {
      if (!(error instanceof Problem) || !error.isGone) throw error
      this.remove(room)
    }
  }

  #replace(rooms: Room[]): void {
    this.#rooms = new Map(rooms.map((room) => [room.id, room]))
    this.loaded = true
    this.fresh = true
    for (const room of rooms) this.#recheck(room)
    this.#listed()
  }

  #take(room: Room): void {
    const known = this.#rooms.has(room.id)
    this.#put(room)
    this.#recheck(room)
    // A notification may lead to a room before the list has it.
    if (!known) this.#listed()
  }

  /** The answer is older than an event we have seen: its counts may be, too. */
  #recheck(room: Room): void {
    if (room.head < (this.#heads.get(room.id) ?? 0)) this.mark(room.id)
  }
}

function grouped(rooms: Room[]): RoomGroup[] {
  const newest = rooms.sort((a, b) => (b.last?.at ?? 0) - (a.last?.at ?? 0) || (a.name < b.name ? -1 : 1))
  const of = (name: RoomGroup['name'], wanted: (room: Room) => boolean): RoomGroup => ({
    name,
    rooms: newest.filter(wanted),
  })
  return [
    of('memo', ({ kind }) => kind === 'memo'),
    of('announcements', ({ kind }) => kind === 'announcement'),
    of('rooms', ({ kind }) => kind !== 'memo' && kind !== 'announcement'),
  ].filter((group) => group.rooms.length > 0)
}
