import type { Room } from '../protocol/types'
import { meant } from '../text/folded'
import type { Client } from './client.svelte'
import type { PeopleSearch } from './peopleSearch.svelte'

const PEOPLE = 100

/**
 * Which rooms a word means: by their names and readings at once, and direct rooms by the other person's reading too,
 * which the server knows.
 */
export class RoomFilter {
  words = $state('')
  /** Whom the word means; the part that asks is loaded with the first letter. */
  #people = $state.raw<PeopleSearch | null>(null)
  readonly #readings: ReadonlySet<string> = $derived.by(() => new Set(this.people.map(({ id }) => id)))
  readonly #client: Pick<Client, 'api'>
  #loading: Promise<unknown> | null = null

  constructor(client: Pick<Client, 'api'>) {
    this.#client = client
  }

  get people(): PeopleSearch['items'] {
    return this.#people?.items ?? []
  }

  /** Nothing can be said yet: the server has not told whom the word means. */
  get waiting(): boolean {
    return this.words.trim() !== '' && (this.#people === null || this.#people.status === 'loading')
  }

  type(words: string): void {
    this.words = words
    if (this.#people !== null) this.#people.look(words)
    else this.#loading ??= this.#load()
  }

  fits(room: Room): boolean {
    const words = this.words.trim()
    return words === '' || meant(words, room.name, room.reading ?? '') || (room.with !== undefined && this.#readings.has(room.with))
  }

  stop(): void {
    this.#people?.stop()
  }

  async #load(): Promise<void> {
    try {
      const { PeopleSearch } = await import('./peopleSearch.svelte')
      this.#people = new PeopleSearch(this.#client.api, PEOPLE)
      this.#people.look(this.words)
    } catch {
      // With the next letter again.
      this.#loading = null
    }
  }
}
