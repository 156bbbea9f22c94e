import type { Api } from '../protocol/api'
import { DutiesApi } from '../protocol/duties'
import type { Wishes } from '../protocol/pending'
import type { Ack, AnswerTo, Block, Command, MeEvent, MessageId, Passing, RoomEvent, RoomId, UserId } from '../protocol/types'
import { Announcing } from './announcing.svelte'
import { Confirming } from './confirming.svelte'
import { Looking } from './looking'
import { Reads } from './reads.svelte'
import type { Rooms } from './rooms.svelte'
import { ScheduledMessages } from './scheduled.svelte'

type Request = <C extends Command>(command: C) => Promise<AnswerTo<C>>

/** What people owe each other: to confirm, to read, to hear what matters, and what is to be sent later. */
export class Duties {
  readonly api: DutiesApi
  readonly confirming: Confirming
  readonly announcing: Announcing
  readonly scheduled: ScheduledMessages
  readonly reads: Reads
  readonly looking: Looking
  readonly #request: Request

  constructor(api: Api, me: UserId, rooms: Rooms, request: Request) {
    this.#request = request
    this.looking = new Looking((room) => request({ op: 'look', room }))
    this.api = new DutiesApi(api)
    this.confirming = new Confirming(this.api, me)
    this.announcing = new Announcing(this.api, me, rooms)
    this.scheduled = new ScheduledMessages(this.api)
    this.reads = new Reads(this.api)
  }

  /** The streams were taken up (again): events from now on are heard, what was before is asked for. */
  wake(): void {
    this.looking.wake()
    void this.announcing.load()
    this.confirming.wake()
    void this.scheduled.load()
    this.reads.wake()
  }

  /** Hands a message of the outbox to the server: to send now, or at its time. */
  async deliver(
    room: RoomId,
    client_msg_id: string,
    blocks: Block[],
    quote: MessageId | undefined,
    { at, ...more }: Wishes,
  ): Promise<Ack> {
    const message = { blocks, ...(quote === undefined ? {} : { quote }), ...more }
    if (at === undefined) return this.#request({ op: 'send', room, client_msg_id, ...message })
    await this.api.schedule(room, { at, ...message }, client_msg_id)
    return { op: 'ack', ref: 0, room }
  }

  heard(event: RoomEvent | MeEvent): void {
    this.confirming.heard(event)
    this.announcing.heard(event)
    this.scheduled.heard(event)
  }

  passing(frame: Passing): void {
    this.confirming.passing(frame)
    this.reads.passing(frame)
  }

  stop(): void {
    this.looking.stop()
    this.confirming.stop()
    this.scheduled.stop()
    this.reads.stop()
  }
}
