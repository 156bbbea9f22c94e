import type { RoomId, UserId } from '../protocol/types'
import { per } from './per'
import { remember, remembered } from './shelf'

/** The rooms that a person keeps on top, on this device: the server has no place for it. */
export class Favourites {
  #rooms = $state.raw<ReadonlySet<RoomId>>(new Set())
  readonly #key: string

  constructor(user: UserId) {
    this.#key = `favourites.${user}`
    this.#rooms = new Set(remembered<RoomId[]>(this.#key, []))
  }

  has(room: RoomId): boolean {
    return this.#rooms.has(room)
  }

  toggle(room: RoomId): void {
    const rooms = new Set(this.#rooms)
    if (!rooms.delete(room)) rooms.add(room)
    this.#rooms = rooms
    remember(this.#key, [...rooms])
  }
}

export const favouritesOf = per((client) => new Favourites(client.user))
