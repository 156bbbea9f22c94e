import { SvelteSet } from 'svelte/reactivity'
import type { MessageId } from '../protocol/types'
import type { Client } from './client.svelte'

/** The messages that one marked for oneself, on whatever device. Asked for when it first matters. */
export class Bookmarks {
  #ids = new SvelteSet<MessageId>()
  #asked: Promise<void> | null = null
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
    client.listen((event) => {
      if (event.op !== 'me' || event.kind !== 'bookmark') return
      if (event.on) this.#ids.add(event.message)
      else this.#ids.delete(event.message)
    })
  }

  has(id: MessageId): boolean {
    return this.#ids.has(id)
  }

  want(): void {
    // Failing, it is asked for again the next time.
    this.#asked ??= this.#load().catch(() => void (this.#asked = null))
  }

  async #load(): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await this.#client.api.bookmarks(cursor)
      for (const { message } of page.items) this.#ids.add(message.id)
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
  }
}

const held = new WeakMap<Client, Bookmarks>()

export function bookmarksOf(client: Client): Bookmarks {
  let bookmarks = held.get(client)
  if (bookmarks === undefined) held.set(client, (bookmarks = new Bookmarks(client)))
  return bookmarks
}
