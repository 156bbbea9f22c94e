import { SvelteMap } from 'svelte/reactivity'
import type { Api } from '../protocol/api'
import { Problem } from '../protocol/problem'
import type { Message, MessageId } from '../protocol/types'

export type Quoted = { state: 'asked' } | { state: 'known'; message: Message } | { state: 'gone' } | { state: 'failed' }

/** Quoted messages. The server is asked for each, because it alone knows whether this reader may see it. */
export class Quotes {
  #known = new SvelteMap<MessageId, Quoted>()
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  get(id: MessageId): Quoted | undefined {
    return this.#known.get(id)
  }

  want(id: MessageId): void {
    const known = this.#known.get(id)
    if (known === undefined || known.state === 'failed') void this.#ask(id)
  }

  /** It was edited or redacted: what was said before must not stay on the screen. */
  changed(id: MessageId): void {
    if (this.#known.has(id)) void this.#ask(id)
  }

  /** The network is back. */
  wake(): void {
    for (const [id, { state }] of this.#known) if (state === 'failed') void this.#ask(id)
  }

  async #ask(id: MessageId): Promise<void> {
    this.#known.set(id, { state: 'asked' })
    try {
      const { message } = await this.#api.message(id)
      this.#known.set(id, { state: 'known', message })
    } catch (error) {
      this.#known.set(id, { state: error instanceof Problem ? 'gone' : 'failed' })
    }
  }
}
