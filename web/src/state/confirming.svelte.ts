import { SvelteMap } from 'svelte/reactivity'
import type { DutiesApi, PendingConfirmation } from '../protocol/duties'
import { Problem } from '../protocol/problem'
import type { MeEvent, Message, MessageId, Passing, RoomEvent, UserId } from '../protocol/types'
import { Later } from './later'

export interface Count {
  confirmed: number
  asked: number
  /** When one has confirmed oneself. */
  mine: number | null
}

/** What one is doing with a message, or why that did not work. */
export interface Doing {
  name: 'working' | 'failed'
  /** Of the server; null when it could not be reached. */
  problem: Problem | null
}

/** 要確認: what one has yet to confirm, and how far the messages on the screen have come. */
export class Confirming {
  /** The nearest time first. */
  pending = $state.raw<readonly PendingConfirmation[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  /** What one was asked for once more, until it is looked at. */
  reminder = $state.raw<PendingConfirmation | null>(null)
  readonly #counts = new SvelteMap<MessageId, Count>()
  readonly #doing = new SvelteMap<MessageId, Doing>()
  readonly #asking = new Set<MessageId>()
  readonly #api: DutiesApi
  readonly #me: UserId
  readonly #later = new Later(() => this.load())
  /** One is reminded of it, and it is not in the list yet. */
  #reminded: MessageId | null = null

  constructor(api: DutiesApi, me: UserId) {
    this.#api = api
    this.#me = me
  }

  count(message: MessageId): Count | undefined {
    return this.#counts.get(message)
  }

  doing(message: MessageId): Doing | undefined {
    return this.#doing.get(message)
  }

  async load(): Promise<void> {
    try {
      this.pending = await this.#api.pending()
      this.status = 'ready'
      if (this.#reminded !== null) this.#remind(this.#reminded)
    } catch {
      if (this.status === 'loading') this.status = 'failed'
    }
  }

  /** The line is back: counts may have moved, and those that are on the screen are asked for again. */
  wake(): void {
    void this.load()
    for (const message of [...this.#counts.keys()].slice(-20)) void this.ask(message)
  }

  stop(): void {
    this.#later.stop()
  }

  /** How far it has come, once it comes into sight. */
  async ask(message: MessageId): Promise<void> {
    if (this.#asking.has(message)) return
    this.#asking.add(message)
    try {
      const { confirmed, asked, mine } = await this.#api.confirmations(message)
      this.#counts.set(message, { confirmed, asked, mine })
    } catch {
      // It stays without its figures until it is looked at again.
    } finally {
      this.#asking.delete(message)
    }
  }

  confirm(message: MessageId): Promise<boolean> {
    return this.#do(message, async () => {
      const { at } = await this.#api.confirm(message)
      this.#confirmed(message, at)
      await this.ask(message)
    })
  }

  /** Asks everybody to confirm by another time, or (null) not any more. The event that follows shows it. */
  askFor(message: MessageId, by: number | null): Promise<boolean> {
    return this.#do(message, async () => void (await this.#api.confirmBy(message, by)))
  }

  heard(event: RoomEvent | MeEvent): void {
    switch (event.kind) {
      case 'confirmed':
        this.#confirmed(event.message, event.at)
        if (this.#counts.has(event.message)) void this.ask(event.message)
        break
      case 'confirm_again':
        if (!this.#remind(event.message)) {
          this.#reminded = event.message
          this.#later.soon()
        }
        break
      case 'message':
        if (event.message.confirm !== undefined) this.#put(event.room, event.message)
        break
      case 'edit':
        this.#edited(event.room, event.message)
        break
      case 'redaction':
        this.#drop(({ message }) => message === event.id)
        break
      case 'room_lost':
        this.#drop(({ room }) => room === event.room)
        break
      case 'room':
        if (event.room_info.archived) this.#drop(({ room }) => room === event.room)
        else this.#later.soon()
        break
      default:
    }
  }

  passing(frame: Passing): void {
    if (frame.op !== 'confirmations') return
    for (const [message, confirmed] of Object.entries(frame.confirmed)) {
      const known = this.#counts.get(message)
      if (known !== undefined) this.#counts.set(message, { ...known, confirmed, asked: Math.max(known.asked, confirmed) })
    }
  }

  #remind(id: MessageId): boolean {
    this.#reminded = null
    this.reminder = this.pending.find(({ message }) => message === id) ?? this.reminder
    return this.reminder?.message === id
  }

  #edited(room: string, message: Message): void {
    const known = this.pending.some((one) => one.message === message.id)
    if (message.confirm === undefined) {
      this.#drop((one) => one.message === message.id)
      this.#counts.delete(message.id)
    } else if (known) {
      this.#put(room, message)
    } else if (message.author.id !== this.#me && this.#counts.get(message.id)?.mine == null) {
      // Asked for just now, or confirmed long ago: only the server knows.
      this.#later.soon()
    }
    if (message.confirm !== undefined && this.#counts.has(message.id)) void this.ask(message.id)
  }

  #put(room: string, { id, at, author, text, confirm }: Message): void {
    if (author.id === this.#me || confirm === undefined) return
    const one = { room, message: id, at, by: confirm.by, author_name: author.name, text: text ?? '' }
    const others = this.pending.filter(({ message }) => message !== id)
    this.pending = [...others, one].sort((a, b) => a.by - b.by)
  }

  #confirmed(message: MessageId, at: number): void {
    this.#drop((one) => one.message === message)
    const known = this.#counts.get(message)
    if (known !== undefined && known.mine === null) this.#counts.set(message, { ...known, mine: at })
  }

  #drop(which: (one: PendingConfirmation) => boolean): void {
    if (this.pending.some(which)) this.pending = this.pending.filter((one) => !which(one))
    if (this.reminder !== null && which(this.reminder)) this.reminder = null
  }

  async #do(message: MessageId, work: () => Promise<void>): Promise<boolean> {
    if (this.#doing.get(message)?.name === 'working') return false
    this.#doing.set(message, { name: 'working', problem: null })
    try {
      await work()
      this.#doing.delete(message)
      return true
    } catch (error) {
      this.#doing.set(message, { name: 'failed', problem: error instanceof Problem ? error : null })
      return false
    }
  }
}
