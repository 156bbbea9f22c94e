import type { Person, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'

export interface Department {
  id: string
  name: string
  parent: string | null
  position: number
}

/** The members of a room, all of them, for looking somebody up by name. Asked for when it first matters. */
export class Members {
  people = $state.raw<readonly Person[]>([])
  departments = $state.raw<readonly Department[]>([])
  complete = $state(false)
  failed = $state(false)
  readonly #room: RoomId
  readonly #client: Client
  #flight: Promise<void> | null = null

  constructor(room: RoomId, client: Client) {
    this.#room = room
    this.#client = client
    client.listen((event) => {
      // Somebody came or went: the next one who looks asks anew, and sees the old list until then.
      if (event.op === 'event' && event.room === room && event.kind === 'membership') this.#flight = null
    })
  }

  /** Resolves when all are there, or when they could not be had (`failed`). */
  want(): Promise<void> {
    return (this.#flight ??= this.#load())
  }

  async #load(): Promise<void> {
    this.failed = false
    try {
      const directory = this.#client.api.directory()
      const people: Person[] = []
      let cursor: string | undefined
      do {
        const page = await this.#client.api.members(this.#room, cursor)
        people.push(...page.items)
        if (people.length > this.people.length) this.people = [...people]
        cursor = page.next ?? undefined
      } while (cursor !== undefined)
      this.people = people
      this.departments = (await directory).departments
      this.complete = true
    } catch {
      this.failed = true
      this.#flight = null
    }
  }
}

const held = new WeakMap<Client, Map<RoomId, Members>>()

export function membersOf(client: Client, room: RoomId): Members {
  let rooms = held.get(client)
  if (rooms === undefined) held.set(client, (rooms = new Map()))
  let members = rooms.get(room)
  if (members === undefined) rooms.set(room, (members = new Members(room, client)))
  return members
}
