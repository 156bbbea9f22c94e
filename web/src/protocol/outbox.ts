import { backOff } from './closing'
import { newKey } from './ids'
import { Problem, Unreachable } from './problem'
import { SignedOut } from './session'
import type { Ack, Attachment, Block, MessageId, RoomId, UserId } from './types'
import type { Uploader } from './uploads'

export interface PendingPhoto {
  /** Idempotency-Key of its upload. */
  key: string
  name: string
  blob: Blob
  /** Once uploaded. The message must then always name this one: its content may not change between repetitions. */
  attachment?: Attachment
}

/** A message that the server has not acknowledged. */
export interface Pending {
  client_msg_id: string
  user: UserId
  room: RoomId
  /** Milliseconds, strictly rising in a tab: the order within the room. */
  order: number
  text: string
  photos: PendingPhoto[]
  quote?: MessageId
  /** The tab that sends it. */
  tab: string
  /** The server refused it: the person decides what becomes of it. `photo`: the key of the one it was about. */
  problem?: { code: number; ja: string; en: string; photo?: string }
}

export type Phase =
  | { name: 'waiting' }
  /** The line or the server failed; it goes on by itself. */
  | { name: 'retrying' }
  | { name: 'uploading'; photo: number; sent: number; total: number }
  | { name: 'sending' }
  | { name: 'failed' }

export interface Draft {
  room: RoomId
  text: string
  photos: { name: string; blob: Blob }[]
  quote?: MessageId
}

/** Where unacknowledged messages survive the closing of the page. */
export interface SendStore {
  all(): Promise<Pending[]>
  put(item: Pending): Promise<void>
  remove(id: string): Promise<void>
  /** Takes the item over from a tab that is gone; false when another tab was faster. */
  adopt(id: string, from: string, to: string): Promise<boolean>
  clear(): Promise<void>
}

export interface OutboxOptions {
  user: UserId
  tab: string
  store: SendStore
  upload: Uploader
  /** Rejects with `Unreachable` while there is no connection. */
  send(room: RoomId, clientMsgId: string, blocks: Block[], quote?: MessageId): Promise<Ack>
  /** Tabs of this browser that are alive. */
  tabs(): Promise<Set<string>>
  changed(): void
  acknowledged(item: Pending, ack: Ack): void
  random?: () => number
}

/** The queue of messages that were written and not acknowledged: resent until they are, in order within each room. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #random: () => number
  readonly #items = new Map<string, Pending>()
  readonly #phases = new Map<string, Phase>()
  readonly #draining = new Set<RoomId>()
  readonly #sleepers = new Set<() => void>()
  readonly #storing = new Map<string, Promise<void>>()
  readonly #cancelled = new Map<string, AbortController>()
  #order = 0
  #stopped = false
  /** False when the browser could not store an item: the person is told to keep the page open. */
  durable = true

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
  }

  /** What earlier pages of this person left behind. */
  async restore(): Promise<void> {
    const [items, tabs] = await Promise.all([this.#options.store.all(), this.#options.tabs()])
    for (const item of items.sort((a, b) => a.order - b.order)) {
      if (item.user !== this.#options.user) {
        // A shared computer: what another person left unsent is neither shown nor sent.
        await this.#options.store.remove(item.client_msg_id)
        continue
      }
      if (tabs.has(item.tab) && item.tab !== this.#options.tab) continue
      if (!(await this.#options.store.adopt(item.client_msg_id, item.tab, this.#options.tab))) continue
      this.#order = Math.max(this.#order, item.order)
      this.#add({ ...item, tab: this.#options.tab })
    }
    this.#options.changed()
  }

  /** Queues a message. It is stored before this resolves, and its id never changes. */
  async add(draft: Draft, id = newKey()): Promise<string> {
    const item: Pending = {
      client_msg_id: id,
      user: this.#options.user,
      room: draft.room,
      order: (this.#order = Math.max(Date.now(), this.#order + 1)),
      text: draft.text,
      photos: draft.photos.map(({ name, blob }) => ({ key: newKey(), name, blob })),
      tab: this.#options.tab,
      ...(draft.quote === undefined ? {} : { quote: draft.quote }),
    }
    // In the queue before the disk has it, so that a later, lighter message cannot overtake it.
    const stored = this.#store(item)
    this.#storing.set(item.client_msg_id, stored)
    this.#add(item)
    this.#options.changed()
    await stored
    this.#storing.delete(item.client_msg_id)
    return item.client_msg_id
  }

  /** Copies: an item changes while it is sent, and a page that compares by identity would not see it. */
  pending(room: RoomId): { item: Pending; phase: Phase }[] {
    return this.#inRoom(room).map((item) => ({ item: { ...item }, phase: this.phase(item.client_msg_id) }))
  }

  phase(id: string): Phase {
    return this.#phases.get(id) ?? { name: 'waiting' }
  }

  get size(): number {
    return this.#items.size
  }

  /** The connection is there (again): nobody needs to wait for a timer. */
  wake(): void {
    for (const sleeper of [...this.#sleepers]) sleeper()
    for (const item of this.#items.values()) void this.#drain(item.room)
  }

  /** Try a refused message once more, unchanged. */
  async again(id: string): Promise<void> {
    const item = this.#items.get(id)
    if (item?.problem === undefined) return
    if (item.problem.code === ATTACHMENT_GONE) {
      // Uploaded so long ago that the server swept it. The photos are still here.
      item.photos = item.photos.map(({ name, blob }) => ({ key: newKey(), name, blob }))
    }
    delete item.problem
    this.#phase(id, { name: 'waiting' })
    await this.#store(item)
    void this.#drain(item.room)
  }

  /** Send the others without the photo that was refused: nine good photos must not be lost for a broken one. */
  async withoutPhoto(id: string, key: string): Promise<void> {
    const item = this.#items.get(id)
    // Once uploaded, a photo may be part of a message that the server has and whose ack was lost.
    if (item?.problem?.photo !== key) return
    item.photos = item.photos.filter((photo) => photo.key !== key)
    if (item.photos.length === 0 && item.text === '') await this.discard(id)
    else await this.again(id)
  }

  /** The person gives it up. What the server has already taken stays. */
  async discard(id: string): Promise<void> {
    this.#cancelled.get(id)?.abort()
    await this.#remove(id)
  }

  stop(): void {
    this.#stopped = true
    for (const controller of this.#cancelled.values()) controller.abort()
    for (const sleeper of [...this.#sleepers]) sleeper()
  }

  #add(item: Pending): void {
    this.#items.set(item.client_msg_id, item)
    this.#phases.set(item.client_msg_id, { name: item.problem === undefined ? 'waiting' : 'failed' })
    void this.#drain(item.room)
  }

  #inRoom(room: RoomId): Pending[] {
    return [...this.#items.values()].filter((item) => item.room === room).sort((a, b) => a.order - b.order)
  }

  /** One at a time in a room, so that the room has them in the order they were written. */
  async #drain(room: RoomId): Promise<void> {
    if (this.#draining.has(room)) return
    this.#draining.add(room)
    let failures = 0
    try {
      while (!this.#stopped) {
        const item = this.#inRoom(room).find(({ problem }) => problem === undefined)
        if (item === undefined) return
        const outcome = await this.#attempt(item)
        if (outcome === 'done') failures = 0
        else await this.#sleep(outcome.wait ?? backOff(failures++, this.#random))
      }
    } finally {
      this.#draining.delete(room)
    }
  }

  async #attempt(item: Pending): Promise<'done' | { wait: number | undefined }> {
    const id = item.client_msg_id
    const controller = new AbortController()
    this.#cancelled.set(id, controller)
    let photo: PendingPhoto | undefined
    try {
      await this.#storing.get(id)
      while ((photo = item.photos.find(({ attachment }) => attachment === undefined)) !== undefined) {
        await this.#uploadPhoto(item, photo, controller.signal)
      }
      this.#phase(id, { name: 'sending' })
      const ack = await this.#options.send(item.room, id, blocks(item), item.quote)
      if (this.#items.has(id)) this.#options.acknowledged(item, ack)
      await this.#remove(id)
      return 'done'
    } catch (error) {
      return this.#failed(item, error, photo?.key)
    } finally {
      this.#cancelled.delete(id)
    }
  }

  async #uploadPhoto(item: Pending, photo: PendingPhoto, signal: AbortSignal): Promise<void> {
    const number = item.photos.indexOf(photo) + 1
    const tell = (sent: number, total: number) =>
      this.#phase(item.client_msg_id, { name: 'uploading', photo: number, sent, total })
    tell(0, photo.blob.size)
    photo.attachment = await this.#options.upload({ ...photo, progress: tell, signal })
    if (this.#items.has(item.client_msg_id)) await this.#store(item)
  }

  async #failed(item: Pending, error: unknown, photo?: string): Promise<'done' | { wait: number | undefined }> {
    const id = item.client_msg_id
    if (this.#stopped || !this.#items.has(id)) return 'done'
    if (error instanceof SignedOut) {
      // It stays stored, for the next sign-in of the same person.
      this.#stopped = true
      return 'done'
    }
    const mustWait = error instanceof Unreachable || (error instanceof Problem && (error.passes || error.wantsSignIn))
    if (mustWait) {
      this.#phase(id, { name: 'retrying' })
      return { wait: error instanceof Problem ? error.retryAfter : undefined }
    }
    const { code, ja, en } = error instanceof Problem ? error : UNEXPECTED
    item.problem = { code, ja, en, ...(photo === undefined ? {} : { photo }) }
    this.#phase(id, { name: 'failed' })
    await this.#store(item)
    return 'done'
  }

  async #store(item: Pending): Promise<void> {
    try {
      await this.#options.store.put(item)
    } catch {
      // No room on the device, or a browser that keeps nothing: it is still sent while the page is open.
      this.durable = false
    }
  }

  async #remove(id: string): Promise<void> {
    this.#items.delete(id)
    this.#phases.delete(id)
    this.#options.changed()
    await this.#options.store.remove(id).catch(() => undefined)
  }

  #phase(id: string, phase: Phase): void {
    if (!this.#items.has(id)) return
    this.#phases.set(id, phase)
    this.#options.changed()
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#sleepers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#sleepers.add(wake)
    })
  }
}

const ATTACHMENT_GONE = 5001

const UNEXPECTED = {
  code: 9000,
  ja: 'サーバーの応答を読み取れませんでした。もう一度お試しください。続くときは管理者にお知らせください。',
  en: 'The answer of the server could not be read. Try again, and tell your administrator if it goes on.',
}

function blocks(item: Pending): Block[] {
  const result: Block[] = []
  if (item.text !== '') result.push({ type: 'text', text: item.text })
  const ids = item.photos.flatMap(({ attachment }) => (attachment === undefined ? [] : [attachment.id]))
  if (ids.length > 0) result.push({ type: 'photos', ids })
  return result
}
