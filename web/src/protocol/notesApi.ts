import { type Download, download } from './download'
import type { Call } from './http'
import type { Note, NoteBlock, NoteContent, NoteHead, NoteId, NoteVersion, SavedNote } from './noteTypes'
import type { MessageId, Paged, RoomId } from './types'

/** What `Api` lends to the parts of the protocol that have calls of their own. */
export interface Calls {
  call<T>(path: string, options?: Call): Promise<T>
  authorized<T>(act: (token: string) => Promise<T>): Promise<T>
  readonly base: string
}

const PAGE = 100
/** A change of a long note is merged on the server, and goes up a phone's line. */
const PATIENCE = 60_000

export class NotesApi {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** The last changed first; `deleted`: instead those that one may bring back. */
  list(room: RoomId, deleted: boolean, cursor: string | null): Promise<Paged<NoteHead>> {
    const query = new URLSearchParams({ limit: String(PAGE) })
    if (deleted) query.set('deleted', 'true')
    if (cursor !== null) query.set('cursor', cursor)
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/notes?${query}`)
  }

  one(note: NoteId): Promise<Note> {
    return this.#get(at(note))
  }

  version(note: NoteId, version: number): Promise<Note> {
    return this.#get(`${at(note)}/versions/${version}`)
  }

  versions(note: NoteId, cursor: string | null): Promise<Paged<NoteVersion>> {
    const query = new URLSearchParams(cursor === null ? {} : { cursor })
    return this.#get(`${at(note)}/versions?${query}`)
  }

  /** `key`: the same for a repetition, because a note made twice would stand there twice. */
  create(room: RoomId, key: string, content: NoteContent, messages: MessageId[] = []): Promise<SavedNote> {
    const body = { title: content.title, blocks: sent(content.blocks), messages }
    return this.#do('POST', `/api/rooms/${encodeURIComponent(room)}/notes`, body, key)
  }

  /** What one made of `version`; the server merges it with what others made of it meanwhile. */
  change(note: NoteId, version: number, { title, blocks }: NoteContent): Promise<SavedNote> {
    return this.#do('PATCH', at(note), { version, title, blocks: sent(blocks) })
  }

  /** Takes messages over, at the end. */
  take(note: NoteId, version: number, messages: MessageId[], key: string): Promise<SavedNote> {
    return this.#do('PATCH', at(note), { version, messages }, key)
  }

  restore(note: NoteId, version: number): Promise<SavedNote> {
    return this.#do('POST', `${at(note)}/restore`, { version })
  }

  async remove(note: NoteId): Promise<void> {
    await this.#calls.call(at(note), { method: 'DELETE' })
  }

  async strike(note: NoteId, entry: string): Promise<void> {
    await this.#calls.call(`${at(note)}/entries/${encodeURIComponent(entry)}`, { method: 'DELETE' })
  }

  export(note: NoteId, kind: 'pdf' | 'zip', version: number | null, signal: AbortSignal): Promise<Download> {
    const path = `${at(note)}/export.${kind}${version === null ? '' : `?version=${version}`}`
    return this.#calls.authorized((token) => download(this.#calls.base, path, token, signal))
  }

  async #get<T>(path: string): Promise<T> {
    return this.#calls.call<T>(path)
  }

  async #do(method: 'POST' | 'PATCH', path: string, body: unknown, key?: string): Promise<SavedNote> {
    const options: Call = { method, body, timeout: PATIENCE, ...(key === undefined ? {} : { key }) }
    return this.#calls.call<SavedNote>(path, options)
  }
}

const at = (note: NoteId) => `/api/notes/${encodeURIComponent(note)}`

/** Of an entry its id alone: what a message said is not ours to say. */
function sent(blocks: NoteBlock[]): unknown[] {
  return blocks.map((block) => (block.type === 'entry' ? { type: 'entry', id: block.id } : block))
}
