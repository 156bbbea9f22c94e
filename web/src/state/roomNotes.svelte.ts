import type { NotesApi } from '../protocol/notesApi'
import type { NoteHead } from '../protocol/noteTypes'
import type { MeEvent, RoomEvent, RoomId } from '../protocol/types'

/** The notes of a room, the last changed first; or those that were deleted and may come back. */
export class RoomNotes {
  items = $state.raw<readonly NoteHead[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  next = $state.raw<string | null>(null)
  readonly room: RoomId
  readonly #api: NotesApi
  readonly #deleted: boolean
  #asked = 0

  constructor(room: RoomId, api: NotesApi, deleted = false) {
    this.room = room
    this.#api = api
    this.#deleted = deleted
  }

  load(): Promise<void> {
    return this.#ask(null)
  }

  async more(): Promise<void> {
    if (this.status === 'ready' && this.next !== null) await this.#ask(this.next)
  }

  /** Keeps the list true while it is open. */
  happened(event: RoomEvent | MeEvent): void {
    if (event.op === 'event' && event.room === this.room && event.kind === 'note') void this.load()
  }

  async #ask(cursor: string | null): Promise<void> {
    const asked = ++this.#asked
    if (this.status === 'failed') this.status = 'loading'
    try {
      const { items, next } = await this.#api.list(this.room, this.#deleted, cursor)
      if (asked !== this.#asked) return
      const known = new Set(items.map(({ id }) => id))
      this.items = cursor === null ? items : [...this.items.filter(({ id }) => !known.has(id)), ...items]
      this.next = next
      this.status = 'ready'
    } catch {
      // What was there stays: it is as old as it says.
      if (asked === this.#asked && this.items.length === 0) this.status = 'failed'
    }
  }
}
