import { SvelteMap } from 'svelte/reactivity'
import type { UserId } from '../protocol/types'
import type { Client } from './client.svelte'

/** Asked for at once: more than these are counted, not named. */
const AT_ONCE = 20

/** Names of people of whom only the id is known. */
export class People {
  #names = new SvelteMap<UserId, string>()
  #asked = new Set<UserId>()
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  name(user: UserId): string | undefined {
    if (user === this.#client.user) return this.#client.name
    return this.#names.get(user)
  }

  /** What the page knows by itself need not be asked for. */
  learn(user: UserId, name: string): void {
    if (this.#names.get(user) !== name) this.#names.set(user, name)
  }

  want(users: readonly UserId[]): void {
    for (const timeline of this.#client.timelines.values()) {
      for (const { author } of timeline.messages) if (users.includes(author.id)) this.learn(author.id, author.name)
    }
    const unknown = users.filter((user) => this.name(user) === undefined && !this.#asked.has(user))
    for (const user of unknown.slice(0, AT_ONCE)) void this.#ask(user)
  }

  async #ask(user: UserId): Promise<void> {
    this.#asked.add(user)
    try {
      this.learn(user, (await this.#client.api.person(user)).name)
    } catch {
      this.#asked.delete(user)
    }
  }
}

const held = new WeakMap<Client, People>()

export function peopleOf(client: Client): People {
  let people = held.get(client)
  if (people === undefined) held.set(client, (people = new People(client)))
  return people
}
