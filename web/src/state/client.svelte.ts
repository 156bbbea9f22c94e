import { SvelteMap } from 'svelte/reactivity'
import { Api } from '../protocol/api'
import { CLOSE } from '../protocol/closing'
import type { Database } from '../protocol/database'
import { newKey } from '../protocol/ids'
import { Link } from '../protocol/link'
import { Outbox } from '../protocol/outbox'
import { Problem, Unreachable } from '../protocol/problem'
import { fileStore, sendStore } from '../protocol/sends'
import type { Sessions } from '../protocol/session'
import type { Socket } from '../protocol/socket'
import { type Action, type StreamId, Streams } from '../protocol/stream'
import type { Author, Hello, Limits, Me, MeEvent, RoomEvent, RoomId } from '../protocol/types'
import { Transfers } from '../protocol/transfers'
import { fileSender, library } from '../protocol/tus'
import { uploader } from '../protocol/uploads'
import { Addresses } from './addresses.svelte'
import { Connection } from './connection.svelte'
import { type Draft, Drafts } from './drafts.svelte'
import { Files } from './files.svelte'
import { Markers } from './markers'
import { Opening } from './opening.svelte'
import { Quotes } from './quotes.svelte'
import { RoomFiles } from './roomFiles.svelte'
import { Rooms } from './rooms.svelte'
import { Sending } from './sending.svelte'
import { Timeline } from './timeline.svelte'

/** Timelines that stay held and live after one left the room. */
const HELD = 6
const PULL_AGAIN = 2_000
const LIMITS: Limits = {
  frame_bytes: 65_536,
  depth: 16,
  text_chars: 20_000,
  photos: 10,
  unanswered: 64,
  photo_bytes: 40 * 2 ** 20,
}

export interface ClientOptions {
  base: string
  sessions: Sessions
  user: string
  database: Promise<Database>
  /** This page among the tabs of the browser, and those that are alive. */
  tab: string
  tabs(): Promise<Set<string>>
  /** The server refuses this device: `erase` when nothing may stay on it. */
  ended(problem: Problem | null, erase: boolean): void
}

/** One person's client: carries out what the streams ask for, and feeds what the page shows. */
export class Client {
  me = $state.raw<Me | null>(null)
  limits = $state.raw(LIMITS)
  #helloName = $state('')
  readonly name = $derived(this.me?.user.name ?? this.#helloName)
  readonly connection = new Connection()
  readonly rooms: Rooms
  readonly timelines = new SvelteMap<RoomId, Timeline>()
  readonly addresses: Addresses
  readonly quotes: Quotes
  readonly opening: Opening
  /** The list of files that is open, if one is. */
  listed = $state.raw<RoomFiles | null>(null)
  readonly drafts = new Drafts()
  readonly sending = new Sending()
  readonly files = new Files()
  readonly user: string
  readonly #api: Api
  readonly #link: Link
  readonly #streams = new Streams()
  readonly #outbox: Outbox
  readonly #transfers: Transfers
  readonly #markers: Markers
  readonly #ended: ClientOptions['ended']
  #socket: Socket | null = null
  #open = $state<RoomId | null>(null)

  constructor({ base, sessions, user, database, tab, tabs, ended }: ClientOptions) {
    this.user = user
    this.#ended = ended
    this.#api = new Api(base, sessions)
    this.rooms = new Rooms(this.#api, () => this.#listed())
    this.addresses = new Addresses(this.#api)
    this.quotes = new Quotes(this.#api)
    this.opening = new Opening(this.#api)
    this.#markers = new Markers((room, upto) => this.#sendMarker(room, upto))
    this.#transfers = new Transfers({
      user,
      tab,
      tabs,
      store: fileStore(database),
      send: fileSender(base, sessions),
      giveUp: ({ path, attachment }) => {
        // Out of reach, the server sweeps it by itself.
        const told = attachment === undefined ? path && this.#api.abandon(path) : this.#api.withdraw(attachment.id)
        if (told) told.catch(() => undefined)
      },
      changed: () => this.files.changed(),
    })
    this.files.use(this.#transfers)
    this.#outbox = new Outbox({
      user,
      tab,
      store: sendStore(database),
      upload: uploader(base, sessions),
      files: this.#transfers,
      send: (room, client_msg_id, blocks, quote) =>
        this.#live().request({ op: 'send', room, client_msg_id, blocks, ...(quote === undefined ? {} : { quote }) }),
      tabs,
      changed: () => this.sending.changed(),
      acknowledged: (item, ack) => {
        const timeline = this.timelines.get(item.room)
        this.sending.acknowledged(item, ack, timeline?.status === 'ready' && !timeline.has(ack.id ?? ''))
      },
    })
    this.sending.use(this.#outbox)
    this.#link = new Link(new URL('/ws', base).href.replace(/^http/, 'ws'), sessions, {
      state: (state) => {
        this.connection.become(state)
        if (state.name === 'stopped' && state.lost === CLOSE.badToken) this.#ended(state.problem, false)
      },
      up: (hello, socket) => void this.#up(hello, socket),
      event: (frame) => this.#run(this.#streams.event(frame)),
      down: () => {
        this.#socket = null
        this.#streams.disconnected()
      },
      erase: (problem) => this.#ended(problem, true),
    })
  }

  start(): void {
    this.#link.start()
    this.rooms.reload()
    void this.#loadMe()
    void this.#restore()
  }

  stop(): void {
    this.#link.stop()
    this.#outbox.stop()
    this.#transfers.stop()
    this.rooms.stop()
    this.drafts.clear()
  }

  /** The page is looked at again, or the network came back: timers may have slept. */
  poke(): void {
    this.connection.network(navigator.onLine)
    this.#link.poke()
    this.#transfers.wake()
    this.rooms.wake()
  }

  /** The room on the screen. */
  open(room: RoomId | null): void {
    if (this.#open === room) return
    this.#open = room
    this.listed = null
    // Where the unread messages begin is in the list.
    if (room !== null && this.rooms.loaded) this.#show(room)
  }

  /** Whether the server lets this person take back an attachment that `author` sent into the room on the screen. */
  mayWithdraw(author: Author): boolean {
    return author.id === this.user || (this.#open !== null && this.rooms.get(this.#open)?.role === 'owner')
  }

  list(room: RoomId | null): void {
    this.listed = room === null ? null : new RoomFiles(room, this.#api)
    void this.listed?.start()
  }

  #listed(): void {
    if (this.#open !== null && !this.timelines.has(this.#open)) this.#show(this.#open)
  }

  #show(room: RoomId): void {
    const listed = this.rooms.get(room)
    if (listed === undefined) return
    let timeline = this.timelines.get(room)
    if (timeline === undefined) {
      timeline = new Timeline(room, this.#api, (head) => this.#run(this.#streams.snapshot(room, head)))
    } else {
      this.timelines.delete(room)
    }
    timeline.unreadAfter = listed.unread > 0 ? listed.read : null
    this.timelines.set(room, timeline)
    for (const [other] of [...this.timelines].slice(0, -HELD)) {
      this.timelines.delete(other)
      this.#streams.release(other)
    }
    if (timeline.status !== 'ready') this.#load(timeline)
  }

  send(room: RoomId, draft: Draft): void {
    const said = draft.text.replace(/^\n+|\s+$/g, '')
    const photos = draft.photos.map(({ name, blob }) => ({ name, blob }))
    const files = draft.files.map(({ key, name, size }) => ({ key, name, size }))
    if (said === '' && photos.length === 0 && files.length === 0) return
    const id = newKey()
    this.sending.began(id, this.timelines.get(room)?.newest?.seq ?? 0)
    void this.#outbox.add({ room, text: said, photos, files }, id)
    draft.clear()
  }

  sendWithoutFile(id: string, key: string): void {
    void this.#outbox.withoutFile(id, key)
  }

  sendAgain(id: string): void {
    void this.#outbox.again(id)
  }

  sendWithout(id: string, photo: string): void {
    void this.#outbox.withoutPhoto(id, photo)
  }

  discard(id: string): void {
    void this.#outbox.discard(id)
  }

  seen(room: RoomId, upto: number): void {
    if (upto > (this.rooms.get(room)?.read ?? Infinity)) this.#markers.seen(room, upto)
  }

  retry(timeline: Timeline): void {
    this.#load(timeline)
  }

  // --- the connection -------------------------------------------------------------------------------------------

  async #up(hello: Hello, socket: Socket): Promise<void> {
    this.limits = hello.limits
    this.#helloName = hello.me.name
    try {
      const resumed = await socket.request({ op: 'resume', ...this.#streams.resumeFrom() })
      this.#socket = socket
      this.#run(this.#streams.resumed(resumed))
      this.rooms.heads(resumed.rooms)
    } catch (error) {
      // Lost again already: the link dials anew. An error here would leave us connected and deaf.
      if (error instanceof Problem) socket.close()
      return
    }
    this.#outbox.wake()
    this.#transfers.wake()
    library().catch(() => undefined)
    this.#markers.wake()
    this.rooms.wake()
    this.addresses.wake()
    this.quotes.wake()
    if (this.me === null) void this.#loadMe()
    for (const timeline of this.timelines.values()) {
      if (timeline.status === 'failed') this.#load(timeline)
      if (timeline.older === 'failed') void timeline.loadOlder()
    }
  }

  /** What earlier pages left: files of messages go on, the others stand in what is being written. */
  async #restore(): Promise<void> {
    const files = await this.#transfers.restore().catch(() => [])
    await this.#outbox.restore()
    this.files.restored(files, this.#outbox.files, this.drafts)
  }

  #live(): Socket {
    if (this.#socket === null) throw new Unreachable('not connected')
    return this.#socket
  }

  async #sendMarker(room: RoomId, upto: number): Promise<void> {
    await this.#live().request({ op: 'read', room, upto })
    const newest = this.timelines.get(room)?.newest?.seq ?? Infinity
    this.rooms.read(room, upto, upto >= newest && this.#streams.caughtUp(room))
  }

  async #loadMe(): Promise<void> {
    // Failing, it is asked for again with the next connection.
    this.me = await this.#api.me().catch(() => this.me)
  }

  #load(timeline: Timeline): void {
    const unread = this.rooms.get(timeline.room)?.unread ?? 0
    timeline.load(unread).catch(() => undefined)
  }

  // --- the streams ----------------------------------------------------------------------------------------------

  #run(actions: Action[]): void {
    for (const action of actions) {
      if (action.do === 'pull') void this.#pull(action.stream, action.after)
      else if (action.do === 'forget') this.#forget(action.room)
      else if (action.do === 'reload') this.#reload(action.stream)
      else if (action.event.op === 'me') this.#mine(action.event)
      else this.#happened(action.event)
    }
  }

  async #pull(stream: StreamId, after: number): Promise<void> {
    try {
      const page = await this.#live().request({ op: 'pull', after, ...(stream === null ? {} : { room: stream }) })
      this.#run(this.#streams.page(stream, after, page))
    } catch (error) {
      if (!(error instanceof Problem)) return
      if (stream !== null && error.isGone) {
        this.#run(this.#streams.forget(stream))
        return
      }
      this.#streams.pullFailed(stream)
      setTimeout(() => this.#run(this.#streams.retry(stream)), error.retryAfter ?? PULL_AGAIN)
    }
  }

  #reload(stream: StreamId): void {
    if (stream === null) {
      this.rooms.reload()
      void this.#loadMe()
      return
    }
    const timeline = this.timelines.get(stream)
    if (timeline === undefined) this.#streams.release(stream)
    else this.#load(timeline)
    this.rooms.mark(stream)
  }

  #forget(room: RoomId): void {
    this.timelines.delete(room)
    this.rooms.remove(room)
  }

  #happened(event: RoomEvent): void {
    const { room, seq } = event
    this.timelines.get(room)?.apply(event)
    this.listed?.happened(event)
    this.rooms.moved(room, seq)
    switch (event.kind) {
      case 'message':
        this.sending.arrived(event.message.id)
        this.rooms.wrote(room, event.message)
        if (event.message.author.id !== this.user) this.rooms.mark(room)
        break
      case 'edit':
        this.quotes.changed(event.message.id)
        this.rooms.mark(room)
        break
      case 'redaction':
        this.quotes.changed(event.id)
        this.rooms.mark(room)
        break
      case 'attachment':
        this.addresses.renew(event.attachment.id)
        break
      case 'room':
        this.rooms.described(event.room_info)
        this.rooms.mark(room)
        break
      case 'membership':
        this.rooms.mark(room)
        break
      default:
      // Stubs, reactions and pins change nothing in the list; unknown kinds are ignored.
    }
  }

  #mine(event: MeEvent): void {
    switch (event.kind) {
      case 'room_gained':
        this.rooms.mark(event.room)
        break
      case 'room_lost':
        this.#streams.forget(event.room)
        this.#forget(event.room)
        break
      case 'read':
        this.rooms.read(event.room, event.upto, false)
        break
      case 'involvement':
        this.rooms.involved(event.room, event.involvement)
        break
      case 'profile':
        void this.#loadMe()
        break
      default:
      // Bookmarks, devices and the directory are not on this page yet.
    }
  }
}
