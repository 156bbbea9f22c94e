import type { Announcement, DutiesApi } from '../protocol/duties'
import type { MeEvent, Message, RoomEvent, RoomId, UserId } from '../protocol/types'
import type { Rooms } from './rooms.svelte'

const RANK: Record<string, number> = { urgent: 0, important: 1 }
const rank = ({ level }: Message): number => RANK[level ?? ''] ?? 2

/** Announcements that one has yet to read: the server's list, and what happened since. */
export class Announcing {
  #held = $state.raw<readonly Announcement[]>([])
  /** The server has answered once, or could not be reached. */
  asked = $state(false)
  readonly #api: DutiesApi
  readonly #me: UserId
  readonly #rooms: Rooms
  /** The most urgent first, then the newest. What lies below the read marker was read, here or elsewhere. */
  readonly unread: readonly Announcement[] = $derived.by(() =>
    this.#held.filter(({ room, message }) => message.seq > (this.#rooms.get(room)?.read ?? 0)),
  )

  constructor(api: DutiesApi, me: UserId, rooms: Rooms) {
    this.#api = api
    this.#me = me
    this.#rooms = rooms
  }

  async load(): Promise<void> {
    // Out of reach, it is asked for again with the next connection.
    this.#held = await this.#api.announcements().catch(() => this.#held)
    this.asked = true
  }

  heard(event: RoomEvent | MeEvent): void {
    switch (event.kind) {
      case 'message':
        this.#put(event.room, event.message, true)
        break
      case 'edit':
        this.#put(event.room, event.message, false)
        break
      case 'redaction':
        this.#drop(({ message }) => message.id === event.id)
        break
      case 'room_lost':
        this.#drop(({ room }) => room === event.room)
        break
      case 'room':
        if (event.room_info.archived) this.#drop(({ room }) => room === event.room)
        break
      default:
    }
  }

  #put(room: RoomId, message: Message, isNew: boolean): void {
    const held = this.#held.find((one) => one.message.id === message.id)
    if (message.level === undefined || message.author.id === this.#me || (held === undefined && !isNew)) return
    const name = this.#rooms.get(room)?.name ?? held?.name ?? ''
    const all = [...this.#held.filter((one) => one !== held), { room, name, message }]
    this.#held = all.sort((a, b) => rank(a.message) - rank(b.message) || b.message.at - a.message.at)
  }

  #drop(which: (one: Announcement) => boolean): void {
    if (this.#held.some(which)) this.#held = this.#held.filter((one) => !which(one))
  }
}
