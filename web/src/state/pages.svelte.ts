import type { Paged } from '../protocol/types'

/** A list that comes page by page, from the beginning whenever something else is asked. Late answers are dropped. */
export class Pages<Item> {
  items = $state.raw<readonly Item[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state.raw<unknown>(null)
  #next = $state.raw<string | null>(null)
  readonly more = $derived(this.#next !== null)
  #asked = 0
  #load: ((cursor?: string) => Promise<Paged<Item>>) | null = null

  begin(load: (cursor?: string) => Promise<Paged<Item>>): void {
    this.#load = load
    void this.#ask(undefined)
  }

  again(): void {
    void this.#ask(undefined)
  }

  goOn(): void {
    if (this.#next !== null && this.status === 'ready') void this.#ask(this.#next)
  }

  put(item: Item, same: (other: Item) => boolean): void {
    this.items = this.items.map((other) => (same(other) ? item : other))
  }

  async #ask(cursor: string | undefined): Promise<void> {
    const number = ++this.#asked
    this.status = 'loading'
    try {
      const page = await this.#load!(cursor)
      if (number !== this.#asked) return
      this.items = cursor === undefined ? page.items : [...this.items, ...page.items]
      this.#next = page.next
      this.status = 'ready'
    } catch (error) {
      if (number !== this.#asked) return
      this.error = error
      this.status = 'failed'
    }
  }
}
