import { type DutiesApi, reworded, type Scheduled } from '../protocol/duties'
import { Problem } from '../protocol/problem'
import type { MeEvent, RoomEvent } from '../protocol/types'
import { Later } from './later'

/** What one has yet to send: the server's list. */
export class ScheduledMessages {
  /** The next one first. */
  items = $state.raw<readonly Scheduled[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  readonly #api: DutiesApi
  readonly #later = new Later(() => this.load())

  constructor(api: DutiesApi) {
    this.#api = api
  }

  async load(): Promise<void> {
    try {
      this.items = await this.#api.scheduled()
      this.status = 'ready'
    } catch {
      if (this.status === 'loading') this.status = 'failed'
    }
  }

  heard(event: RoomEvent | MeEvent): void {
    // One's own list, and one's own few devices: nobody else asks at this moment.
    if (event.kind === 'scheduled') this.#later.soon(0)
  }

  stop(): void {
    this.#later.stop()
  }

  /** Each answers why it did not work, null when it did; '' when the server could not be reached. */
  change(one: Scheduled, { text, at }: { text?: string; at?: number }): Promise<Problem | '' | null> {
    const words = text === undefined ? {} : { blocks: reworded(one.blocks, text) }
    return this.#do(() => this.#api.reschedule(one, { ...words, ...(at === undefined ? {} : { at }) }))
  }

  sendNow(one: Scheduled): Promise<Problem | '' | null> {
    return this.#do(() => this.#api.reschedule(one, { now: true }))
  }

  takeBack(one: Scheduled): Promise<Problem | '' | null> {
    return this.#do(() => this.#api.takeBack(one))
  }

  async #do(work: () => Promise<unknown>): Promise<Problem | '' | null> {
    try {
      await work()
      return null
    } catch (error) {
      return error instanceof Problem ? error : ''
    } finally {
      await this.load()
    }
  }
}
