import { SvelteMap } from 'svelte/reactivity'
import type { PresenceState, UserId } from '../protocol/types'
import type { Client } from './client.svelte'
import { per } from './per'

/** The protocol's limit of one list. */
const WATCHED = 200
/** While one scrolls, people come into sight one after the other. */
const SETTLED = 150

/** Who is there, of those in sight. A connection remembers one list, so those of all parts of the page are joined here. */
export class Presence {
  #states = new SvelteMap<UserId, PresenceState>()
  #lists = new Map<object, readonly UserId[]>()
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
    client.watch((frame) => {
      if (frame.op === 'presence' && this.#wanted().has(frame.user)) this.#states.set(frame.user, frame.state)
    })
    $effect.root(() => {
      $effect(() => {
        if (client.live > 0) this.#later()
      })
    })
  }

  of(user: UserId): PresenceState | undefined {
    return this.#states.get(user)
  }

  /** `part` shows these people now; none when it goes. */
  show(part: object, users: readonly UserId[]): void {
    if (users.length === 0) this.#lists.delete(part)
    else this.#lists.set(part, users)
    this.#later()
  }

  #wanted(): Set<UserId> {
    // The part that was opened last is what one looks at.
    return new Set([...this.#lists.values()].reverse().flat().slice(0, WATCHED))
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), SETTLED)
  }

  async #ask(): Promise<void> {
    const wanted = this.#wanted()
    try {
      const { presence = {} } = await this.#client.request({ op: 'watch', users: [...wanted] })
      for (const user of this.#states.keys()) if (!wanted.has(user)) this.#states.delete(user)
      for (const [user, state] of Object.entries(presence)) this.#states.set(user, state)
    } catch {
      // Without a connection nobody is known to be there; the next one asks again.
      this.#states.clear()
    }
  }
}

export const presenceOf = per((client) => new Presence(client))
