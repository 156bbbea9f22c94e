import type { Room } from '../protocol/types'
import { meant } from '../text/folded'
import type { Client } from './client.svelte'
import { PeopleSearch } from './peopleSearch.svelte'

const PEOPLE = 100

/**
 * Which rooms a word means: by their names at once, and direct rooms by the other person's reading too, which the
 * server knows. Rooms themselves have no reading.
 */
export class RoomFilter {
  words = $state('')
  readonly #people: PeopleSearch
  readonly #readings: ReadonlySet<string> = $derived.by(() => new Set(this.#people.items.map(({ id }) => id)))
  /** Nothing can be said yet: the server has not told whom the word means. */
  readonly waiting: boolean = $derived.by(() => this.words.trim() !== '' && this.#people.status === 'loading')

  constructor(client: Client) {
    this.#people = new PeopleSearch(client.api, PEOPLE)
  }

  get people(): PeopleSearch {
    return this.#people
  }

  type(words: string): void {
    this.words = words
    this.#people.look(words)
  }

  fits(room: Room): boolean {
    const words = this.words.trim()
    return words === '' || meant(words, room.name) || (room.with !== undefined && this.#readings.has(room.with))
  }
}
