import { backOff } from './closing'
import { newKey } from './ids'
import { Problem, UNEXPECTED, Unreachable } from './problem'
import {
  blocks,
  type Draft,
  isEmpty,
  needsFiles,
  type Pending,
  type PendingPhoto,
  type Phase,
  type SendStore,
  type Wishes,
  wishes,
} from './pending'
import { SignedOut } from './session'
import { Sleepers } from './sleepers'
import type { Ack, Attachment, Block, MessageId, RoomId, UserId } from './types'
import type { Uploader } from './uploads'

/** Where the files of messages are: `Transfers`. */
export interface FileKeeper {
  ready(key: string, signal: AbortSignal): Promise<Attachment>
  renew(key: string): void
  forget(key: string): Promise<void>
  cancel(key: string): Promise<void>
}

export interface OutboxOptions {
  user: UserId
  tab: string
  store: SendStore
  upload: Uploader
  files: FileKeeper
  /** Rejects with `Unreachable` while there is no connection. */
  send(room: RoomId, clientMsgId: string, blocks: Block[], quote: MessageId | undefined, wishes: Wishes): Promise<Ack>
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
  readonly #sleepers = new Sleepers()
  readonly #storing = new Map<string, Promise<void>>()
  readonly #cancelled = new Map<string, AbortController>()
  readonly #carrying = new Map<string, AbortController>()
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
      ...(draft.files === undefined || draft.files.length === 0 ? {} : { files: draft.files }),
      ...(draft.shown === undefined ? {} : { shown: draft.shown }),
      ...(draft.quote === undefined ? {} : { quote: draft.quote }),
      ...wishes(draft),
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

  /** Of all rooms. */
  all(): { item: Pending; phase: Phase }[] {
    const items = [...this.#items.values()].sort((a, b) => a.order - b.order)
    return items.map((item) => ({ item: { ...item }, phase: this.phase(item.client_msg_id) }))
  }

  phase(id: string): Phase {
    return this.#phases.get(id) ?? { name: 'waiting' }
  }

  /** Files that belong to messages here, by key. */
  get files(): Set<string> {
    return new Set([...this.#items.values()].flatMap(({ files = [] }) => files.map(({ key }) => key)))
  }

  get size(): number {
    return this.#items.size
  }

  /** The connection is there (again): nobody needs to wait for a timer. */
  wake(): void {
    this.#sleepers.wake()
    for (const item of this.#items.values()) void this.#drain(item.room)
  }

  /** Try a refused message once more, unchanged. */
  async again(id: string): Promise<void> {
    const item = this.#items.get(id)
    if (item?.problem === undefined) return
    if (item.problem.code === ATTACHMENT_GONE) {
      // Uploaded so long ago that the server swept it. The photos are still here.
      item.photos = item.photos.map(({ name, blob }) => ({ key: newKey(), name, blob }))
      item.files?.forEach((file) => {
        delete file.attachment
        this.#options.files.renew(file.key)
      })
    }
    delete item.problem
    this.#phase(id, { name: 'waiting' })
    await this.#store(item)
    this.#go(item)
  }

  /** A refused message goes on without what it asked for: a time that has passed, a level that is not theirs to use. */
  async without(id: string, wish: keyof Wishes): Promise<void> {
    const item = this.#items.get(id)
    if (item?.problem === undefined) return
    delete item[wish]
    await this.again(id)
  }

  /** Send the others without the photo that was refused: nine good photos must not be lost for a broken one. */
  async withoutPhoto(id: string, key: string): Promise<void> {
    const item = this.#items.get(id)
    // Once uploaded, a photo may be part of a message that the server has and whose ack was lost.
    if (item?.problem?.photo !== key) return
    item.photos = item.photos.filter((photo) => photo.key !== key)
    if (isEmpty(item)) await this.discard(id)
    else await this.again(id)
  }

  /** Send the others without a file that cannot be sent, or that is not worth the wait. */
  async withoutFile(id: string, key: string): Promise<void> {
    const item = this.#items.get(id)
    // Once complete, it may be part of a message that the server has and whose ack was lost.
    const file = item?.files?.find((one) => one.key === key)
    if (item === undefined || file === undefined || file.attachment !== undefined) return
    this.#stopCarrying(id)
    item.files = item.files!.filter((one) => one.key !== key)
    await this.#options.files.cancel(key)
    if (isEmpty(item)) {
      await this.discard(id)
      return
    }
    await this.#store(item)
    this.#go(item)
  }

  /** The person gives it up. What the server has already taken stays. */
  async discard(id: string): Promise<void> {
    this.#cancelled.get(id)?.abort()
    await this.#remove(id, (key) => this.#options.files.cancel(key))
  }

  stop(): void {
    this.#stopped = true
    for (const controller of [...this.#cancelled.values(), ...this.#carrying.values()]) controller.abort()
    this.#sleepers.wake()
  }

  #add(item: Pending): void {
    this.#items.set(item.client_msg_id, item)
    this.#phases.set(item.client_msg_id, { name: item.problem === undefined ? 'waiting' : 'failed' })
    this.#go(item)
  }

  #go(item: Pending): void {
    if (item.problem === undefined && needsFiles(item)) void this.#carry(item)
    else void this.#drain(item.room)
  }

  /** Waits until its files are at the server, beside the room's queue: a word must not wait for a gigabyte. */
  async #carry(item: Pending): Promise<void> {
    const id = item.client_msg_id
    if (this.#carrying.has(id)) return
    const controller = new AbortController()
    this.#carrying.set(id, controller)
    this.#phase(id, { name: 'files' })
    try {
      await this.#storing.get(id)
      for (const file of item.files ?? []) {
        if (file.attachment !== undefined) continue
        file.attachment = await this.#options.files.ready(file.key, controller.signal)
        if (this.#items.has(id)) await this.#store(item)
      }
      this.#phase(id, { name: 'waiting' })
    } catch (error) {
      if (!controller.signal.aborted) await this.#failed(item, error)
    } finally {
      if (this.#carrying.get(id) === controller) this.#carrying.delete(id)
    }
    if (!controller.signal.aborted) void this.#drain(item.room)
  }

  #stopCarrying(id: string): void {
    this.#carrying.get(id)?.abort()
    this.#carrying.delete(id)
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
        const item = this.#inRoom(room).find((one) => one.problem === undefined && !needsFiles(one))
        if (item === undefined) return
        const outcome = await this.#attempt(item)
        if (outcome === 'done') failures = 0
        else await this.#sleepers.sleep(outcome.wait ?? backOff(failures++, this.#random))
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
      const ack = await this.#options.send(item.room, id, blocks(item), item.quote, wishes(item))
      if (this.#items.has(id)) this.#options.acknowledged(item, ack)
      await this.#remove(id, (key) => this.#options.files.forget(key))
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
    const { code, ja, en, field } = error instanceof Problem ? error : UNEXPECTED
    item.problem = { code, ja, en, ...(photo === undefined ? {} : { photo }), ...(field === null ? {} : { field }) }
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

  async #remove(id: string, leave: (file: string) => Promise<void>): Promise<void> {
    const files = this.#items.get(id)?.files ?? []
    this.#stopCarrying(id)
    this.#items.delete(id)
    this.#phases.delete(id)
    this.#options.changed()
    // Before the message itself: a page that ends in between sends it again, and that is the same message.
    await Promise.all(files.map(({ key }) => leave(key)))
    await this.#options.store.remove(id).catch(() => undefined)
  }

  #phase(id: string, phase: Phase): void {
    if (!this.#items.has(id)) return
    this.#phases.set(id, phase)
    this.#options.changed()
  }
}

const ATTACHMENT_GONE = 5001
