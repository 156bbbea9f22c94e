import type { Component } from 'svelte'
import type { Message } from '../../protocol/types'
import type { Client } from '../../state/client.svelte'

type Blocks = Component<{ client: Client; message: Message }>

/** After the page is up; rooms with bots that are opened before that ask for it at once. */
const SOON = 2_500

// Apart, because the build wraps `import().then()` as a whole, and what it says then reaches nobody.
const fetched = () => import('./Blocks.svelte')

/**
 * The blocks of bots are a part of their own, fetched once for all rows: a row that is drawn after that is whole at
 * once, and of its own height. Until then it says the message's plain text.
 */
class Parts {
  #blocks = $state.raw<Blocks | null>(null)
  #asked = false

  constructor() {
    setTimeout(() => this.#ask(), SOON)
  }

  get blocks(): Blocks | null {
    this.#ask()
    return this.#blocks
  }

  #ask(): void {
    if (this.#asked) return
    this.#asked = true
    fetched().then(
      (part) => (this.#blocks = part.default as Blocks),
      () => (this.#asked = false),
    )
  }
}

export const parts = new Parts()
