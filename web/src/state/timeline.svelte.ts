import type { Api } from '../protocol/api'
import { fold, insert, prepend } from '../protocol/fold'
import type { Message, MessageId, RoomEvent, RoomId } from '../protocol/types'

const PAGE = 50
/** Of the way to an old message: in large steps, and not for ever. */
const STRIDE = 200
const STRIDES = 25
/** Unread counts end at 100: a page of this size always holds the first unread message and some before it. */
const LARGEST = 150

/** The messages of one room that are held here, from some point on to the newest. */
export class Timeline {
  messages = $state.raw<readonly Message[]>([])
  /** `loading` and `failed`: until the first page is there. */
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  /** Nothing older is visible. */
  complete = $state(false)
  older = $state<'idle' | 'loading' | 'failed'>('idle')
  /** The read marker when the room was opened: the line stays where it was while one reads. */
  unreadAfter = $state<number | null>(null)
  /** Raised when everything was loaded anew, so that the view starts over. */
  generation = $state(0)
  /** When it was true: it comes from this device, and the server has not answered yet. */
  stale = $state<number | null>(null)
  /** The message to bring into sight. */
  target = $state<number | null>(null)

  readonly room: RoomId
  readonly #api: Api
  readonly #loaded: (head: number) => void
  /** Events since the request for older messages: they may concern a message in the answer. */
  #meanwhile: RoomEvent[] | null = null
  #loading = false
  #flight: Promise<void> = Promise.resolve()
  #doubtful = new Set<MessageId>()

  constructor(room: RoomId, api: Api, loaded: (head: number) => void) {
    this.room = room
    this.#api = api
    this.#loaded = loaded
  }

  get newest(): Message | undefined {
    return this.messages.at(-1)
  }

  /** What was kept on this device, until the server answers. */
  offer(messages: readonly Message[], complete: boolean, at: number): void {
    if (this.status === 'ready' || messages.length === 0) return
    this.messages = messages
    this.complete = complete
    this.stale = at
    this.status = 'ready'
    this.generation += 1
  }

  /** The newest messages, in place of what was held. */
  async load(unread: number): Promise<void> {
    if (this.#loading) return
    this.#loading = true
    if (this.status === 'failed') this.status = 'loading'
    try {
      const page = await this.#api.messages(this.room, Math.min(LARGEST, Math.max(PAGE, unread + 20)))
      // What was read from the device is among it: whoever reads on stays where they are.
      const same = this.stale !== null && page.messages.some(({ id }) => id === this.newest?.id)
      this.messages = page.messages
      this.stale = null
      this.complete = page.first
      this.status = 'ready'
      this.older = 'idle'
      this.#meanwhile = null
      if (!same) this.generation += 1
      this.#loaded(page.head)
    } catch {
      if (this.status === 'loading') this.status = 'failed'
      throw new Error('not loaded')
    } finally {
      this.#loading = false
    }
  }

  /** Loads what lies between here and a message; false if that is too much. */
  async reach(seq: number): Promise<boolean> {
    for (let stride = 0; stride < STRIDES && !this.complete && (this.messages[0]?.seq ?? 0) > seq; stride++) {
      await this.#flight
      await this.loadOlder(STRIDE)
      if (this.older === 'failed') return false
    }
    return this.messages.some((message) => message.seq === seq)
  }

  loadOlder(limit = PAGE): Promise<void> {
    return (this.#flight = this.#loadOlder(limit))
  }

  async #loadOlder(limit: number): Promise<void> {
    const first = this.messages[0]
    if (this.status !== 'ready' || this.older === 'loading' || this.complete || first === undefined) return
    this.older = 'loading'
    const meanwhile: RoomEvent[] = (this.#meanwhile = [])
    try {
      const page = await this.#api.messages(this.room, limit, first.seq)
      if (this.#meanwhile !== meanwhile) return
      const older = meanwhile.reduce(
        (messages, event) => (event.kind === 'message' ? messages : fold(messages, event).messages),
        page.messages as readonly Message[],
      )
      this.messages = prepend(this.messages, older)
      this.complete = page.first || page.messages.length === 0
      this.older = 'idle'
    } catch {
      if (this.#meanwhile === meanwhile) this.older = 'failed'
    } finally {
      if (this.#meanwhile === meanwhile) this.#meanwhile = null
    }
  }

  apply(event: RoomEvent): void {
    // There may be a hole before it; the answer that is on its way has it.
    if (this.stale !== null) return
    this.#meanwhile?.push(event)
    const { messages, doubtful } = fold(this.messages, event)
    this.messages = messages
    if (doubtful !== undefined) void this.#fetch(doubtful)
  }

  has(id: MessageId): boolean {
    return this.messages.some((message) => message.id === id)
  }

  /** A reaction by the 51st user: only the server can count it. */
  async #fetch(id: MessageId): Promise<void> {
    if (this.#doubtful.has(id)) return
    this.#doubtful.add(id)
    try {
      const { message } = await this.#api.message(id)
      if (this.has(id)) this.messages = insert(this.messages, message)
    } catch {
      // The count is one behind until the next reaction or load.
    } finally {
      this.#doubtful.delete(id)
    }
  }
}
