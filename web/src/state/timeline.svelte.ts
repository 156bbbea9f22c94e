import type { Api } from '../protocol/api'
import { append, fold, insert, prepend } from '../protocol/fold'
import type { Message, MessageId, MessagePage, RoomEvent, RoomId } from '../protocol/types'

const FIRST = 50
const PAGE = 60
/** Around a message that was jumped to. */
const AROUND = 100
/** Unread counts end at 100: a page of this size always holds the first unread message and some before it. */
const LARGEST = 150
const COUNTED = 100
/** Messages held of one room: beyond the larger number those far from the reader are let go, down to the smaller. */
export const MOST = 900
const KEPT = 500
/** The same where nobody reads further up, as in most rooms on a busy day. Three and a half of the tallest screens are
 * fewer: what was let go must not be asked for at once. */
export const MOST_AT_END = 500
const KEPT_AT_END = 400
/** And in a room that nobody looks at: enough to come back to, with its first unread message. */
export const MOST_ASIDE = 220
/** Of the newest ones, while one reads elsewhere. */
const TAIL = 120

type Flight = 'idle' | 'loading' | 'failed'

/**
 * The messages of one room that are held here: one stretch without holes, which one reads, and while it does not reach
 * the newest message, those beside it (`#tail`), which are kept up to date so that the way back is short.
 */
export class Timeline {
  messages = $state.raw<readonly Message[]>([])
  /** `loading` and `failed`: until the first page is there. */
  status = $state<'loading' | 'ready' | 'failed'>('loading')
  /** Nothing older is visible. */
  complete = $state(false)
  /** The stretch reaches the newest message, and grows by what is written. */
  latest = $state(true)
  older = $state<Flight>('idle')
  newer = $state<Flight>('idle')
  /** The read marker when the room was opened: the line stays where it was while one reads. */
  unreadAfter = $state<number | null>(null)
  /** Raised when everything was loaded anew, so that the view starts over. */
  generation = $state(0)
  /** When it was true: it comes from this device, and the server has not answered yet. */
  stale = $state<number | null>(null)
  /** The message to bring into sight. */
  target = $state<number | null>(null)
  /** Raised when the view is to go to the newest message. */
  ending = $state(0)
  /** Where the reader is; null at the newest message, or when nobody looks. What is far from it may be let go. */
  reading: number | null = null
  /** The room is on the screen. */
  open = true

  readonly room: RoomId
  readonly #api: Api
  readonly #loaded: (head: number) => void
  #tail = $state.raw<readonly Message[]>([])
  /** Events since requests were sent: they may concern a message in the answer. */
  #meanwhile = new Set<RoomEvent[]>()
  #loading = false
  #doubtful = new Set<MessageId>()

  constructor(room: RoomId, api: Api, loaded: (head: number) => void) {
    this.room = room
    this.#api = api
    this.#loaded = loaded
  }

  /** Of the room, wherever one reads. */
  get newest(): Message | undefined {
    return this.latest ? this.messages.at(-1) : this.#tail.at(-1)
  }

  /** The newest ones that are held, wherever one reads. */
  get recent(): readonly Message[] {
    return this.latest ? this.messages : this.#tail
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
      const page = await this.#api.messages(this.room, Math.min(LARGEST, Math.max(FIRST, unread + 20)))
      // What was read from the device is among it: whoever reads on stays where they are.
      const same = this.stale !== null && page.messages.some(({ id }) => id === this.newest?.id)
      this.#take(page.messages, page.first, true)
      this.stale = null
      this.status = 'ready'
      if (!same) this.generation += 1
      this.#loaded(page.head)
      // More is unread than was counted: the line stands further up.
      const { unreadAfter } = this
      if (unread >= COUNTED && unreadAfter !== null && !this.complete && (this.messages[0]?.seq ?? 0) > unreadAfter + 1) {
        await this.reach(unreadAfter + 1)
      }
    } catch {
      if (this.status === 'loading') this.status = 'failed'
      throw new Error('not loaded')
    } finally {
      this.#loading = false
    }
  }

  /** Makes the stretch one that holds this message, or what stands in its place; false if it could not be loaded. */
  async reach(seq: number): Promise<boolean> {
    if (this.#holds(this.messages, seq)) return this.#has(seq)
    if (!this.latest && this.#holds(this.#tail, seq)) {
      this.#return()
      return this.#has(seq)
    }
    return (await this.#jump((limit) => this.#api.messagesAround(this.room, limit, seq))) && this.#has(seq)
  }

  /** The first message of a day or after it; null if there is none, or it could not be loaded. */
  async reachDay(at: number): Promise<number | null> {
    const since = (messages: readonly Message[]) => messages.find((message) => message.at >= at)?.seq
    const first = this.messages[0]
    const held = since(this.messages)
    if (held !== undefined && (first!.at < at || this.complete)) return held
    if (!(await this.#jump((limit) => this.#api.messagesAt(this.room, limit, at)))) return null
    return since(this.messages) ?? this.messages.at(-1)?.seq ?? null
  }

  /** The room comes back to the screen. `read`: the read marker where something is unread. */
  comeBack(read: number | null): void {
    this.open = true
    this.unreadAfter = read
    // So much was written meanwhile that the line stands further up than what is held.
    const first = this.messages[0]
    if (this.status === 'ready' && read !== null && !this.complete && this.latest && (first?.seq ?? 0) > read + 1) {
      void this.reach(read + 1)
    }
  }

  /** It leaves the screen: what is too much is let go with the next message. */
  leave(): void {
    this.open = false
    this.reading = null
  }

  /** Back to the newest messages, without a question to the server. */
  toNewest(): void {
    if (!this.latest) this.#return()
    this.ending += 1
  }

  async loadOlder(): Promise<void> {
    const first = this.messages[0]
    if (this.status !== 'ready' || this.older === 'loading' || this.complete || first === undefined) return
    this.older = 'loading'
    const { generation } = this
    try {
      const page = await this.#asked((api) => api.messages(this.room, PAGE, first.seq))
      if (generation !== this.generation) return
      this.older = 'idle'
      if (this.messages[0]?.seq !== first.seq) return
      this.messages = prepend(this.messages, page.messages)
      this.complete = page.first || page.messages.length === 0
      this.#letGo()
    } catch {
      if (generation === this.generation) this.older = 'failed'
    }
  }

  async loadNewer(): Promise<void> {
    const last = this.messages.at(-1)
    if (this.status !== 'ready' || this.newer === 'loading' || this.latest || last === undefined) return
    this.newer = 'loading'
    const { generation } = this
    try {
      const page = await this.#asked((api) => api.messagesAfter(this.room, PAGE, last.seq))
      if (generation !== this.generation) return
      this.newer = 'idle'
      if (this.latest || this.messages.at(-1)?.seq !== last.seq) return
      this.messages = append(this.messages, page.messages)
      // A short page ends at the newest message, and the tail has what came since.
      if (page.messages.length < PAGE || this.#meets()) this.#join()
      this.#letGo()
    } catch {
      if (generation === this.generation) this.newer = 'failed'
    }
  }

  apply(event: RoomEvent): void {
    // There may be a hole before it; the answer that is on its way has it.
    if (this.stale !== null) return
    for (const events of this.#meanwhile) events.push(event)
    if (event.kind === 'message' && !this.latest) {
      this.#tail = insert(this.#tail, event.message).slice(-2 * TAIL)
      return
    }
    const { messages, doubtful } = fold(this.messages, event)
    this.messages = messages
    if (!this.latest) this.#tail = fold(this.#tail, event).messages
    if (doubtful !== undefined) void this.#fetch(doubtful)
    if (event.kind === 'message') this.#letGo()
  }

  has(id: MessageId): boolean {
    return this.messages.some((message) => message.id === id) || this.#tail.some((message) => message.id === id)
  }

  // --- stretches ------------------------------------------------------------------------------------------------

  #take(messages: readonly Message[], complete: boolean, latest: boolean): void {
    this.messages = messages
    this.complete = complete
    this.latest = latest
    if (latest) this.#tail = []
    this.older = this.newer = 'idle'
  }

  /** Another stretch in place of the one that is read. */
  async #jump(ask: (limit: number) => Promise<MessagePage>): Promise<boolean> {
    const { generation } = this
    let page: MessagePage
    try {
      page = await this.#asked(() => ask(AROUND))
    } catch {
      return false
    }
    if (generation !== this.generation || page.messages.length === 0) return false
    if (this.latest) this.#tail = this.messages.slice(-TAIL)
    this.#take(page.messages, page.first, false)
    if (this.#meets() || page.messages.at(-1)!.seq >= page.head) this.#join()
    this.generation += 1
    return true
  }

  /** Whether the stretch and the newest messages overlap. */
  #meets(): boolean {
    const begin = this.#tail[0]?.seq
    return begin !== undefined && (this.messages.at(-1)?.seq ?? 0) >= begin
  }

  #join(): void {
    this.messages = append(this.messages, this.#tail)
    this.#tail = []
    this.latest = true
    this.newer = 'idle'
  }

  #return(): void {
    this.#take(this.#tail, false, true)
    this.generation += 1
  }

  /** What is far from the reader is let go: a room may be read for hours, and forever. */
  #letGo(): void {
    const { messages, reading } = this
    const [most, kept] = reading !== null ? [MOST, KEPT] : this.open ? [MOST_AT_END, KEPT_AT_END] : [MOST_ASIDE, LARGEST]
    if (messages.length <= most) return
    const found = reading === null ? -1 : messages.findIndex(({ seq }) => seq >= reading)
    const at = found < 0 ? messages.length : found
    const from = Math.max(0, Math.min(at - kept / 2, messages.length - kept))
    const to = Math.min(messages.length, from + kept)
    if (from > 0) this.complete = false
    if (to < messages.length && this.latest) {
      this.#tail = messages.slice(-TAIL)
      this.latest = false
    }
    this.messages = messages.slice(from, to)
  }

  #holds(messages: readonly Message[], seq: number): boolean {
    const [first, last] = [messages[0], messages.at(-1)]
    return first !== undefined && first.seq <= seq && seq <= last!.seq
  }

  #has(seq: number): boolean {
    return this.messages.some((message) => message.seq === seq)
  }

  /** Asks, and applies to the answer what happened meanwhile. */
  async #asked(ask: (api: Api) => Promise<MessagePage>): Promise<MessagePage> {
    const meanwhile: RoomEvent[] = []
    this.#meanwhile.add(meanwhile)
    try {
      const page = await ask(this.#api)
      const messages = meanwhile.reduce(
        (held, event) => (event.kind === 'message' ? held : fold(held, event).messages),
        page.messages as readonly Message[],
      )
      return { ...page, messages: [...messages] }
    } finally {
      this.#meanwhile.delete(meanwhile)
    }
  }

  /** A reaction by the 51st user: only the server can count it. */
  async #fetch(id: MessageId): Promise<void> {
    if (this.#doubtful.has(id)) return
    this.#doubtful.add(id)
    try {
      const { message } = await this.#api.message(id)
      if (this.#has(message.seq)) this.messages = insert(this.messages, message)
    } catch {
      // The count is one behind until the next reaction or load.
    } finally {
      this.#doubtful.delete(id)
    }
  }
}
