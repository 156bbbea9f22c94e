import type { NotesApi } from '../protocol/notesApi'
import type { NoteId } from '../protocol/noteTypes'
import { told } from './told'

/** A browser that is slow to save still reads from here. */
const KEPT = 60_000

/** Taking a note out of the house, as a PDF or a ZIP: the server makes it, which takes a while. */
export class NoteExport {
  making = $state<'pdf' | 'zip' | null>(null)
  said = $state('')
  done = $state('')
  readonly #api: NotesApi
  #stop: AbortController | null = null

  constructor(api: NotesApi) {
    this.#api = api
  }

  async make(note: NoteId, kind: 'pdf' | 'zip', version: number | null, unreachable: string): Promise<void> {
    if (this.making !== null) return
    this.making = kind
    this.said = ''
    this.done = ''
    const stop = (this.#stop = new AbortController())
    try {
      const { name, blob } = await this.#api.export(note, kind, version, stop.signal)
      save(name, blob)
      this.done = name
    } catch (error) {
      if (!stop.signal.aborted) this.said = told(error, unreachable)
    } finally {
      this.making = null
    }
  }

  cancel(): void {
    this.#stop?.abort()
  }
}

function save(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT)
}
