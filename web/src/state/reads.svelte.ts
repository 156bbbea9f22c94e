import { SvelteMap } from 'svelte/reactivity'
import type { DutiesApi } from '../protocol/duties'
import type { MessageId, Passing, RoomId } from '../protocol/types'
import { Later } from './later'

/** Each count is a question to the server, so only so many of the newest in sight are asked for, and not more often. */
const MOST = 5
const APART = 2_500

export interface Read {
  read: number
  total: number
}

interface Watched {
  room: RoomId
  seq: number
}

/** Who has read: the figures of one's own newest messages, while they are in sight. */
export class Reads {
  readonly #counts = new SvelteMap<MessageId, Read>()
  readonly #watched = new Map<MessageId, Watched>()
  readonly #asked = new Map<MessageId, number>()
  readonly #api: DutiesApi
  readonly #later = new Later(() => this.#askAll())
  #moved = new Set<RoomId>()

  constructor(api: DutiesApi) {
    this.#api = api
  }

  of(message: MessageId): Read | undefined {
    return this.#counts.get(message)
  }

  /** It is in sight, until the answer is called. */
  watch(room: RoomId, message: MessageId, seq: number): () => void {
    this.#watched.set(message, { room, seq })
    this.#moved.add(room)
    this.#later.soon(0)
    return () => this.#watched.delete(message)
  }

  /** Whoever opened the list of readers knows better. */
  put(message: MessageId, read: Read): void {
    this.#counts.set(message, read)
  }

  passing(frame: Passing): void {
    if (frame.op === 'receipt' || frame.op === 'receipts') this.#again(frame.room)
  }

  wake(): void {
    for (const { room } of this.#watched.values()) this.#again(room)
  }

  stop(): void {
    this.#later.stop()
  }

  #again(room: RoomId): void {
    if (![...this.#watched.values()].some((one) => one.room === room)) return
    this.#moved.add(room)
    this.#later.soon(APART / 4)
  }

  #askAll(): void {
    const now = Date.now()
    const newest = [...this.#watched]
      .filter(([message, { room }]) => this.#moved.has(room) && !this.#complete(message))
      .sort(([, a], [, b]) => b.seq - a.seq)
      .slice(0, MOST)
    this.#moved = new Set()
    for (const [message, { room }] of newest) {
      if (now - (this.#asked.get(message) ?? 0) < APART) {
        this.#moved.add(room)
        continue
      }
      this.#asked.set(message, now)
      void this.#ask(message)
    }
    if (this.#moved.size > 0) this.#later.soon(APART)
  }

  /** What everybody has read stays so. */
  #complete(message: MessageId): boolean {
    const known = this.#counts.get(message)
    return known !== undefined && known.total > 0 && known.read >= known.total
  }

  async #ask(message: MessageId): Promise<void> {
    try {
      const { read, total } = await this.#api.rollup(message)
      this.#counts.set(message, { read, total })
    } catch {
      // Without its figure, until somebody reads on.
    }
  }
}
