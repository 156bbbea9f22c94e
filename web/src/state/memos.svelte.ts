import type { Message, MessageId, Paged, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'

const NEWEST = 50
const FOUND = 30
/** Between the last key and the question: not one for every kana. */
const PAUSE = 250

/** One's own memos, the newest first, or those that a search finds. What the bot said about them is none. */
export class Memos {
  words = $state('')
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  shown = $state.raw<readonly Message[]>([])
  readonly searching = $derived(this.words.trim() !== '')
  readonly #client: Client
  readonly #room: RoomId
  #timer: ReturnType<typeof setTimeout> | undefined
  /** An older question's answer may come after a newer one's. */
  #question = 0

  constructor(client: Client, room: RoomId) {
    this.#client = client
    this.#room = room
  }

  load(): Promise<void> {
    return this.#ask(async () => {
      const { messages } = await this.#client.api.messages(this.#room, NEWEST)
      return messages.toReversed()
    })
  }

  look(words: string): void {
    this.words = words
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void (this.searching ? this.#search(words.trim()) : this.load()), PAUSE)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#question += 1
  }

  #search(words: string): Promise<void> {
    const { api, user } = this.#client
    return this.#ask(async () => {
      // By oneself: what the bot answered is about memos and none.
      const found = await api.call<Paged<{ message: MessageId | null }>>('/api/search', {
        method: 'POST',
        body: { words: words.slice(0, 200), room: this.#room, by: user, limit: FOUND },
      })
      const ids = new Set(found.items.map(({ message }) => message).filter((id) => id !== null))
      // A hit is an excerpt; to be taken, it must be whole. One that was taken back since is left out.
      const whole = await Promise.allSettled([...ids].map((id) => api.message(id)))
      return whole.flatMap((one) => (one.status === 'fulfilled' ? [one.value.message] : []))
    })
  }

  async #ask(fetch: () => Promise<Message[]>): Promise<void> {
    const question = ++this.#question
    this.status = 'loading'
    try {
      const found = await fetch()
      if (question !== this.#question) return
      this.shown = found.filter(({ author, redacted }) => author.id === this.#client.user && redacted === undefined)
      this.status = 'ready'
    } catch {
      if (question !== this.#question) return
      this.shown = []
      this.status = 'failed'
    }
  }
}
