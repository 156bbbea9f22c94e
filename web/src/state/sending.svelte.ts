import type { Outbox } from '../protocol/outbox'
import type { Pending, Phase } from '../protocol/pending'
import type { Ack, Message, MessageId, RoomId } from '../protocol/types'

export interface Waiting {
  item: Pending
  phase: Phase | { name: 'sent' }
}

export interface Sent {
  id: string
  room: RoomId
  text: string
  attached: number
  at: number
}

const SENT = 20

interface Settling {
  item: Pending
  id: MessageId
}

/** The outbox as the page shows it: what waits, and what was acknowledged but has not come back as an event yet. */
export class Sending {
  #version = $state(0)
  #settling = $state.raw<readonly Settling[]>([])
  /** How far the room was when the message was written. */
  #since = new Map<string, number>()
  #outbox: Outbox | null = null

  use(outbox: Outbox): void {
    this.#outbox = outbox
    this.changed()
  }

  changed(): void {
    this.#version += 1
  }

  get count(): number {
    return this.#version >= 0 ? (this.#outbox?.size ?? 0) : 0
  }

  get durable(): boolean {
    return this.#version >= 0 ? (this.#outbox?.durable ?? true) : true
  }

  /** Of all rooms, in the order in which they were written. */
  get all(): Waiting[] {
    return this.#version >= 0 ? (this.#outbox?.all() ?? []) : []
  }

  /** What was sent since the page was opened, the newest first. */
  sent = $state.raw<readonly Sent[]>([])

  /** Some that do not go by themselves, or not now: the person should be able to look. */
  get troubled(): boolean {
    return this.all.some(({ phase }) => phase.name === 'retrying' || phase.name === 'failed' || phase.name === 'files')
  }

  again(id: string): void {
    void this.#outbox?.again(id)
  }

  withoutPhoto(id: string, photo: string): void {
    void this.#outbox?.withoutPhoto(id, photo)
  }

  withoutFile(id: string, key: string): void {
    void this.#outbox?.withoutFile(id, key)
  }

  discard(id: string): void {
    void this.#outbox?.discard(id)
  }

  began(id: string, seq: number): void {
    this.#since.set(id, seq)
  }

  acknowledged(item: Pending, ack: Ack, shown: boolean): void {
    this.#since.delete(item.client_msg_id)
    // Without its photos: they would stay in memory.
    const { room, text, photos, files = [] } = item
    const sent = { id: item.client_msg_id, room, text, attached: photos.length + files.length, at: Date.now() }
    this.sent = [sent, ...this.sent].slice(0, SENT)
    if (shown && ack.id !== undefined) this.#settling = [...this.#settling, { item, id: ack.id }]
  }

  arrived(id: MessageId): void {
    if (this.#settling.some((settling) => settling.id === id)) {
      this.#settling = this.#settling.filter((settling) => settling.id !== id)
    }
  }

  /** Below the messages: what was written here and is not among them yet. */
  below(room: RoomId, messages: readonly Message[]): Waiting[] {
    const pending = this.#version >= 0 ? (this.#outbox?.pending(room) ?? []) : []
    const settling = this.#settling.filter(({ item, id }) => item.room === room && !messages.some((m) => m.id === id))
    return [
      ...settling.map(({ item }) => ({ item, phase: { name: 'sent' as const } })),
      ...pending.filter(({ item, phase }) => phase.name !== 'sending' || !this.#isThere(item, messages)),
    ]
  }

  /** The event may overtake the ack: then the message would stand there twice for a moment. */
  #isThere(item: Pending, messages: readonly Message[]): boolean {
    const since = this.#since.get(item.client_msg_id)
    if (since === undefined) return false
    const attached = [...item.photos, ...(item.files ?? [])].map(({ attachment }) => attachment?.id).join()
    return messages.some(
      (message) =>
        message.seq > since &&
        message.author.id === item.user &&
        (message.attachments ?? []).map(({ id }) => id).join() === attached &&
        (message.blocks?.find((block) => block.type === 'text') as { text: string } | undefined)?.text ===
          (item.text === '' ? undefined : item.text),
    )
  }
}
