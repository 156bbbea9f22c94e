import type { Api } from '../protocol/api'
import { fold } from '../protocol/fold'
import type { Message, RoomEvent, RoomId } from '../protocol/types'

/** The pinned messages of a room, the newest pin first, as they are now. */
export class Pins {
  items = $state.raw<readonly Message[]>([])
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  readonly #room: RoomId
  readonly #api: Pick<Api, 'pins'>
  #asked = 0

  constructor(room: RoomId, api: Pick<Api, 'pins'>) {
    this.#room = room
    this.#api = api
  }

  async load(): Promise<void> {
    const asked = ++this.#asked
    if (this.status === 'failed') this.status = 'loading'
    try {
      const { items } = await this.#api.pins(this.#room)
      // Something was pinned meanwhile: a later answer knows it.
      if (asked !== this.#asked) return
      this.items = items
      this.status = 'ready'
    } catch {
      if (asked === this.#asked) this.status = 'failed'
    }
  }

  happened(event: RoomEvent): void {
    if (event.room !== this.#room) return
    if (event.kind === 'redaction' || (event.kind === 'pin' && !event.on)) {
      this.items = this.items.filter(({ id }) => id !== event.id)
      // An answer that is on its way may still hold it.
      void this.load()
    } else if (event.kind === 'pin') {
      void this.load()
    } else {
      this.items = this.items.map((message) => fold([message], event).messages.find(({ id }) => id === message.id) ?? message)
    }
  }
}
