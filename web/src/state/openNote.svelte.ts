import type { NotesApi } from '../protocol/notesApi'
import type { Note, NoteId } from '../protocol/noteTypes'
import { Problem } from '../protocol/problem'
import type { MeEvent, RoomEvent } from '../protocol/types'

/** One note as it is now, kept true by the room's events. */
export class OpenNote {
  note = $state.raw<Note | null>(null)
  status = $state<'loading' | 'ready' | 'failed' | 'gone'>('loading')
  readonly id: NoteId
  readonly #api: NotesApi
  #asked = 0

  constructor(id: NoteId, api: NotesApi) {
    this.id = id
    this.#api = api
  }

  async load(): Promise<void> {
    const asked = ++this.#asked
    if (this.status === 'failed') this.status = 'loading'
    try {
      const note = await this.#api.one(this.id)
      if (asked !== this.#asked) return
      this.note = note
      this.status = 'ready'
    } catch (error) {
      if (asked !== this.#asked) return
      // A note that was deleted is not there any more, but for those who may bring it back.
      if (error instanceof Problem) this.status = 'gone'
      else if (this.note === null) this.status = 'failed'
    }
  }

  /** Its own room's events alone: also of what was missed while the line was down. */
  happened(event: RoomEvent | MeEvent): void {
    if (event.op !== 'event') return
    const ours = event.kind === 'note' && event.id === this.id
    // Of a photo that was taken back the event may be either.
    const photo = event.kind === 'attachment' && (this.note?.attachments.some(({ id }) => id === event.attachment.id) ?? false)
    if (ours || photo) void this.load()
  }
}
