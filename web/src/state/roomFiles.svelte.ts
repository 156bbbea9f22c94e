import type { Api, AttachmentQuery } from '../protocol/api'
import type { Person, RoomAttachment, RoomEvent, RoomId } from '../protocol/types'

const PAGE = 40

export interface Filter {
  kind: 'all' | 'photo' | 'file'
  /** Empty: everybody. */
  by: string
  /** YYYY-MM-DD in the reader's own days; empty: any. */
  day: string
}

/** A room's files and photos, newest first, as far as one has scrolled. */
export class RoomFiles {
  items = $state.raw<readonly RoomAttachment[]>([])
  people = $state.raw<readonly Person[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  complete = $state(false)
  filter = $state.raw<Filter>({ kind: 'all', by: '', day: '' })
  readonly room: RoomId
  readonly #api: Api
  #next: string | null = null
  /** Raised with each new question: answers to an older one are dropped. */
  #asked = 0

  constructor(room: RoomId, api: Api) {
    this.room = room
    this.#api = api
  }

  get narrowed(): boolean {
    return this.filter.kind !== 'all' || this.filter.by !== '' || this.filter.day !== ''
  }

  async start(): Promise<void> {
    void this.#api.members(this.room).then(
      ({ items }) => (this.people = items),
      () => undefined,
    )
    await this.load()
  }

  async narrow(change: Partial<Filter>): Promise<void> {
    this.filter = { ...this.filter, ...change }
    await this.load()
  }

  async load(): Promise<void> {
    this.#next = null
    await this.#ask(true)
  }

  async more(): Promise<void> {
    if (this.status === 'ready' && !this.complete) await this.#ask(false)
  }

  /** Keeps the list true while it is open. */
  happened(event: RoomEvent): void {
    if (event.room !== this.room) return
    if (event.kind === 'attachment') {
      const { attachment } = event
      this.items = this.items.map((row) => (row.attachment.id === attachment.id ? { ...row, attachment } : row))
    } else if (event.kind === 'redaction') {
      this.items = this.items.filter(({ message }) => message !== event.id)
    } else if (event.kind === 'message') {
      const { id, seq, at, author, attachments = [] } = event.message
      // The newest first, also within a message, as the server lists them.
      const added = attachments.toReversed().map((attachment) => ({ attachment, message: id, seq, at, author }))
      const known = new Set(this.items.map(({ attachment }) => attachment.id))
      this.items = [...added.filter((row) => !known.has(row.attachment.id) && this.#fits(row)), ...this.items]
    }
  }

  #fits({ attachment, at, author }: RoomAttachment): boolean {
    const { kind, by } = this.filter
    const { since = -Infinity, until = Infinity } = this.#days()
    return (
      (kind === 'all' || attachment.kind === kind) && (by === '' || author.id === by) && since <= at && at < until
    )
  }

  #days(): { since?: number; until?: number } {
    const [year, month, day] = this.filter.day.split('-').map(Number)
    if (year === undefined || month === undefined || day === undefined) return {}
    return { since: new Date(year, month - 1, day).getTime(), until: new Date(year, month - 1, day + 1).getTime() }
  }

  async #ask(fresh: boolean): Promise<void> {
    const asked = ++this.#asked
    const { kind, by } = this.filter
    const query: AttachmentQuery = {
      limit: PAGE,
      ...(kind === 'all' ? {} : { kind }),
      ...(by === '' ? {} : { by }),
      ...this.#days(),
      ...(this.#next === null ? {} : { cursor: this.#next }),
    }
    this.status = 'loading'
    if (fresh) this.items = []
    try {
      const { items, next } = await this.#api.attachments(this.room, query)
      if (asked !== this.#asked) return
      const known = new Set(this.items.map(({ attachment }) => attachment.id))
      this.items = [...this.items, ...items.filter(({ attachment }) => !known.has(attachment.id))]
      this.#next = next
      this.complete = next === null
      this.status = 'ready'
    } catch {
      if (asked === this.#asked) this.status = 'failed'
    }
  }
}
