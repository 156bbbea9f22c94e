import type { Api } from '../protocol/api'
import { newKey } from '../protocol/ids'
import type { Attachment } from '../protocol/types'
import { fileSender } from '../protocol/tus'
import { uploader } from '../protocol/uploads'
import { text } from '../text/words.svelte'
import { notes } from '../text/words/notes'
import { told } from './told'

export interface NoteUpload {
  key: string
  name: string
  percent: number
  /** Why it did not arrive; the person may try again. */
  problem: string
  file: File
}

/** Photos and files from this device on their way into a note. They are sent at once: a draft names them only. */
export class NoteUploads {
  items = $state.raw<readonly NoteUpload[]>([])
  readonly #api: Api
  readonly #arrived: (attachment: Attachment) => void
  readonly #stop = new AbortController()

  constructor(api: Api, arrived: (attachment: Attachment) => void) {
    this.#api = api
    this.#arrived = arrived
  }

  get moving(): boolean {
    return this.items.some(({ problem }) => problem === '')
  }

  /** One after another, so that they arrive in the order in which they were picked. */
  async add(files: Iterable<File>, kind: 'photo' | 'file'): Promise<void> {
    const added = [...files].map((file) => ({ key: newKey(), name: file.name.normalize('NFC'), percent: 0, problem: '', file }))
    this.items = [...this.items, ...added]
    for (const upload of added) await this.#send(upload, kind)
  }

  async again(upload: NoteUpload, kind: 'photo' | 'file'): Promise<void> {
    this.#change(upload.key, { problem: '', percent: 0 })
    await this.#send(upload, kind)
  }

  remove(key: string): void {
    this.items = this.items.filter((one) => one.key !== key)
  }

  stop(): void {
    this.#stop.abort()
  }

  async #send({ key, name, file }: NoteUpload, kind: 'photo' | 'file'): Promise<void> {
    const { base, tokens } = this.#api
    const progress = (sent: number) => this.#change(key, { percent: Math.floor((sent / Math.max(1, file.size)) * 100) })
    const { signal } = this.#stop
    try {
      const attachment =
        kind === 'photo'
          ? await uploader(base, tokens)({ name, blob: file, key, progress, signal })
          : await fileSender(base, tokens)({ name, blob: file, created: () => undefined, progress, signal })
      this.remove(key)
      this.#arrived(attachment)
    } catch (error) {
      this.#change(key, { problem: told(error, text.of(notes).uploadFailed) })
    }
  }

  #change(key: string, change: Partial<NoteUpload>): void {
    this.items = this.items.map((one) => (one.key === key ? { ...one, ...change } : one))
  }
}
