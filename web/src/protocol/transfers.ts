import { backOff } from './closing'
import { newKey } from './ids'
import { type Picked, printOf, readable } from './print'
import { Problem, SignedOut, UNEXPECTED, Unreachable } from './problem'
import { Sleepers } from './sleepers'
import { type FileStore, first, type Item, shown, type StoredFile, type Transfer, type TransferState } from './transfer'
import type { FileSender } from './tus'
import type { Attachment, RoomId, UserId } from './types'

export interface TransferOptions<Done = Attachment> {
  user: UserId
  tab: string
  store: FileStore<Done>
  send: FileSender<Done>
  /** Tells the server that nobody wants it any more. */
  giveUp(file: { path?: string; attachment?: Done }): void
  tabs(): Promise<Set<string>>
  changed(): void
  random?: () => number
  /** Bytes up to which a file is kept on the device. */
  small?: number
}

/** One moves while the next is created and the last is checked; more would only share the same line. */
const AT_ONCE = 2
const SMALL = 24 * 2 ** 20
/** A line that was silent so long is not believed once there is a new one. */
const SILENT = 5_000
const STORE_EVERY = 4 * 2 ** 20

/** The files that go up, for messages that were sent off and for what is still being written. */
export class Transfers<Done = Attachment> {
  readonly #options: TransferOptions<Done>
  readonly #items = new Map<string, Item<Done>>()
  readonly #running = new Set<string>()
  readonly #sleepers = new Sleepers()
  #order = 0
  #stopped = false

  constructor(options: TransferOptions<Done>) {
    this.#options = options
  }

  /** What earlier pages of this person left; answers it in order. */
  async restore(): Promise<Transfer[]> {
    const { store, user, tab } = this.#options
    const [rows, tabs] = await Promise.all([store.all(), this.#options.tabs()])
    const restored: Item<Done>[] = []
    for (const row of rows.sort((a, b) => a.order - b.order)) {
      if (row.user !== user) {
        // A shared computer: what another person left is neither shown nor sent.
        await store.remove(row.key)
        continue
      }
      if (tabs.has(row.tab) && row.tab !== tab) continue
      if (!(await store.adopt(row.key, row.tab, tab))) continue
      this.#order = Math.max(this.#order, row.order)
      restored.push(this.#hold({ ...row, tab }, row.blob ?? null))
    }
    this.#fill()
    this.#options.changed()
    return restored.map(shown)
  }

  /** Rejects if the file cannot be read (a folder, or one that is only in the cloud). */
  async add(room: RoomId, file: Picked): Promise<Transfer> {
    const { user, tab, small = SMALL } = this.#options
    const name = file.name.normalize('NFC')
    const row: StoredFile<Done> = {
      key: newKey(),
      user,
      room,
      name,
      size: file.size,
      print: await printOf(file),
      order: (this.#order = Math.max(Date.now(), this.#order + 1)),
      tab,
      ...(file.size <= small ? { blob: file } : {}),
    }
    const item = this.#hold(row, file)
    await this.#store(item)
    this.#fill()
    this.#options.changed()
    return shown(item)
  }

  get(key: string): Transfer | undefined {
    const item = this.#items.get(key)
    return item === undefined ? undefined : shown(item)
  }

  /** The file of this room that waits to be picked again and looks like this one. */
  async awaited(room: RoomId, file: Picked): Promise<string | undefined> {
    const missing = [...this.#items.values()].filter(({ row, state }) => row.room === room && state === 'missing')
    if (missing.length === 0) return undefined
    const print = await printOf(file)
    return missing.find(({ row }) => row.print === print)?.row.key
  }

  pause(key: string): void {
    const item = this.#items.get(key)
    if (item === undefined || !['waiting', 'moving', 'retrying'].includes(item.state)) return
    item.row.paused = true
    this.#become(item, 'paused')
    item.stop?.abort()
    this.#sleepers.wake()
    void this.#store(item)
  }

  resume(key: string): void {
    const item = this.#items.get(key)
    if (item?.state !== 'paused') return
    delete item.row.paused
    this.#become(item, item.blob === null ? 'missing' : 'waiting')
    void this.#store(item)
    this.#fill()
  }

  /** Once more, unchanged, after it was refused. */
  again(key: string): void {
    const item = this.#items.get(key)
    if (item?.state !== 'failed') return
    delete item.row.problem
    this.#become(item, item.blob === null ? 'missing' : 'waiting')
    void this.#store(item)
    this.#fill()
  }

  /** The same file again; false if it is another one. */
  async pick(key: string, file: Picked): Promise<boolean> {
    const item = this.#items.get(key)
    if (item === undefined || item.row.print !== (await printOf(file))) return false
    item.blob = file
    if (item.state === 'missing') this.#become(item, 'waiting')
    this.#fill()
    return true
  }

  /** The server has swept what was uploaded: from the beginning. */
  renew(key: string): void {
    const item = this.#items.get(key)
    if (item === undefined) return
    delete item.row.attachment
    delete item.row.path
    delete item.row.sent
    this.#become(item, item.blob === null ? 'missing' : 'waiting')
    void this.#store(item)
    this.#fill()
  }

  /** The person gives it up. */
  async cancel(key: string): Promise<void> {
    const item = this.#items.get(key)
    if (item === undefined) return
    const { path, attachment } = item.row
    await this.forget(key)
    this.#options.giveUp({ ...(path === undefined ? {} : { path }), ...(attachment === undefined ? {} : { attachment }) })
  }

  /** It is part of a message that the server has. */
  async forget(key: string): Promise<void> {
    const item = this.#items.get(key)
    if (item === undefined) return
    this.#items.delete(key)
    item.stop?.abort()
    this.#options.changed()
    await this.#options.store.remove(key).catch(() => undefined)
  }

  /** Resolves when all of it is at the server, however long that takes. */
  ready(key: string, signal: AbortSignal): Promise<Done> {
    const item = this.#items.get(key)
    if (item === undefined) return Promise.reject(new Problem(LOST_FILE))
    if (item.row.attachment !== undefined) return Promise.resolve(item.row.attachment)
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject }
      item.waiters.add(waiter)
      signal.addEventListener('abort', () => {
        item.waiters.delete(waiter)
        reject(new Unreachable('stopped'))
      })
    })
  }

  /** The connection is there (again): nobody needs to wait for a timer, or for a line that is dead. */
  wake(): void {
    this.#sleepers.wake()
    for (const item of this.#items.values()) {
      if (item.state === 'moving' && Date.now() - item.at > SILENT) item.stop?.abort()
    }
    this.#fill()
  }

  stop(): void {
    this.#stopped = true
    for (const { stop } of this.#items.values()) stop?.abort()
    this.#sleepers.wake()
  }

  #hold(row: StoredFile<Done>, blob: Blob | null): Item<Done> {
    const state = first(row, blob)
    const item: Item<Done> = {
      row,
      blob,
      state,
      rate: 0,
      at: Date.now(),
      from: -1,
      trouble: null,
      stop: null,
      waiters: new Set(),
    }
    this.#items.set(row.key, item)
    return item
  }

  #fill(): void {
    const waiting = [...this.#items.values()]
      .filter(({ row, state }) => state === 'waiting' && !this.#running.has(row.key))
      .sort((a, b) => a.row.order - b.row.order)
    for (const item of waiting.slice(0, Math.max(0, AT_ONCE - this.#running.size))) void this.#run(item)
  }

  async #run(item: Item<Done>): Promise<void> {
    const { key } = item.row
    this.#running.add(key)
    let failures = 0
    try {
      while (this.#wanted(item)) {
        const before = item.row.sent ?? 0
        const outcome = await this.#attempt(item)
        if (outcome === 'done') return
        if ((item.row.sent ?? 0) > before) failures = 0
        await this.#sleepers.sleep(outcome.wait ?? backOff(failures++, this.#options.random ?? Math.random))
      }
    } finally {
      this.#running.delete(key)
      if (!this.#stopped) this.#fill()
    }
  }

  #wanted({ row, state }: Item<Done>): boolean {
    return !this.#stopped && this.#items.has(row.key) && ['waiting', 'moving', 'retrying'].includes(state)
  }

  async #attempt(item: Item<Done>): Promise<'done' | { wait: number | undefined }> {
    const { row, blob } = item
    if (blob === null) {
      this.#become(item, 'missing')
      return 'done'
    }
    item.stop = new AbortController()
    item.at = Date.now()
    item.from = -1
    item.rate = 0
    this.#become(item, 'moving')
    try {
      const { name, path } = row
      row.attachment = await this.#options.send({
        name,
        blob,
        path,
        created: (to) => this.#created(item, to),
        progress: (sent) => this.#progress(item, sent),
        signal: item.stop.signal,
      })
    } catch (error) {
      return this.#failed(item, error)
    } finally {
      item.stop = null
    }
    row.sent = row.size
    this.#become(item, 'ready')
    await this.#store(item)
    for (const { resolve } of item.waiters) resolve(row.attachment)
    item.waiters.clear()
    return 'done'
  }

  #created(item: Item<Done>, path: string): void {
    if (item.row.path === path) return
    item.row.path = path
    item.row.sent = 0
    this.#options.changed()
    void this.#store(item)
  }

  #progress(item: Item<Done>, sent: number): void {
    const now = Date.now()
    const passed = now - item.at
    if (item.from < 0) {
      // Where the server says that it goes on: that tells nothing about the line.
      item.at = now
      item.from = sent
    } else if (passed >= 500 && sent > item.from) {
      const rate = (sent - item.from) / passed
      item.rate = item.rate === 0 ? rate : 0.7 * item.rate + 0.3 * rate
      item.at = now
      item.from = sent
    }
    const stored = Math.floor((item.row.sent ?? 0) / STORE_EVERY)
    item.row.sent = sent
    // A small one goes on without asking anybody; writing its bytes again for a number would cost more than it.
    if (item.row.blob === undefined && Math.floor(sent / STORE_EVERY) > stored) void this.#store(item)
    item.trouble = null
    this.#options.changed()
  }

  async #failed(item: Item<Done>, error: unknown): Promise<'done' | { wait: number | undefined }> {
    if (!this.#wanted(item)) return 'done'
    if (error instanceof SignedOut) {
      // It stays stored, for the next sign-in of the same person.
      this.#stopped = true
      return 'done'
    }
    if (!(await readable(item.blob))) {
      item.blob = null
      this.#become(item, 'missing')
      return 'done'
    }
    if (error instanceof Unreachable || (error instanceof Problem && (error.passes || error.wantsSignIn))) {
      item.trouble = error instanceof Problem ? { code: error.code, ja: error.ja, en: error.en } : null
      if (this.#wanted(item)) this.#become(item, 'retrying')
      return { wait: error instanceof Problem ? error.retryAfter : undefined }
    }
    const { code, ja, en } = error instanceof Problem ? error : UNEXPECTED
    item.row.problem = { code, ja, en }
    this.#become(item, 'failed')
    await this.#store(item)
    return 'done'
  }

  async #store(item: Item<Done>): Promise<void> {
    if (!this.#items.has(item.row.key)) return
    try {
      await this.#options.store.put({ ...item.row })
    } catch {
      // No room for its bytes: then without them, to be picked again if the page is closed.
      delete item.row.blob
      await this.#options.store.put({ ...item.row }).catch(() => undefined)
    }
  }

  #become(item: Item<Done>, state: TransferState): void {
    item.state = state
    this.#options.changed()
  }
}

const LOST_FILE = {
  code: 5001,
  name: 'attachment_not_found',
  field: null,
  params: {},
  ja: 'ファイルがこの端末に残っていません。もう一度添付してください。',
  en: 'The file is not on this device any more. Attach it again.',
}
