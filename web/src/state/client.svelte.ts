import { SvelteMap } from 'svelte/reactivity'
import { Api } from '../protocol/api'
import { CLOSE } from '../protocol/closing'
import type { Database } from '../protocol/database'
import { newKey } from '../protocol/ids'
import { Link } from '../protocol/link'
import { Outbox } from '../protocol/outbox'
import type { Draft as Composed } from '../protocol/pending'
import { Problem } from '../protocol/problem'
import { fileStore, sendStore } from '../protocol/sends'
import type { Sessions } from '../protocol/session'
import type { Socket } from '../protocol/socket'
import type { StreamId } from '../protocol/stream'
import { LIMITS } from '../protocol/limits'
import type { AnswerTo, Author, Command, Hello, Limits, Me, MeEvent, Passing, RoomEvent, RoomId } from '../protocol/types'
import { Transfers } from '../protocol/transfers'
import { fileSender, library } from '../protocol/tus'
import { uploader } from '../protocol/uploads'
import { Addresses } from './addresses.svelte'
import { Connection } from './connection.svelte'
import { type Draft, Drafts } from './drafts.svelte'
import { Duties } from './duties.svelte'
import { Files } from './files.svelte'
import { Follower } from './follower'
import { heard as heardInRoom, heardOwn } from './hearing'
import type { Keeper } from './keeper.svelte'
import { Markers } from './markers'
import { Opening } from './opening.svelte'
import { Quotes } from './quotes.svelte'
import { Rooms } from './rooms.svelte'
import { Sending } from './sending.svelte'
import { Timeline } from './timeline.svelte'
import { version } from './version.svelte'

/** Timelines that stay held and live after one left the room. */
const HELD = 6
const AGAIN = 5_000
const PATIENCE = 300 // ms: a server that is there answers sooner than what the device kept is drawn, to be drawn again

export interface ClientOptions {
  base: string
  sessions: Sessions
  user: string
  database: Promise<Database>
  /** This page among the tabs of the browser, and those that are alive. */
  tab: string
  tabs(): Promise<Set<string>>
  /** The server refuses this device: `erase` when nothing may stay on it. */
  ended(problem: Problem | null, erase: boolean, barred?: boolean): void // barred: the session goes on, for asking how one stands
}

/** One person's client: carries out what the streams ask for, and feeds what the page shows. */
export class Client {
  me = $state.raw<Me | null>(null)
  limits = $state.raw<Limits>(LIMITS)
  #helloName = $state('')
  readonly name = $derived(this.me?.user.name ?? this.#helloName)
  readonly connection = new Connection()
  /** Raised with each connection that is resumed: what only a connection remembers has to be said again. */
  live = $state(0)
  readonly rooms: Rooms
  readonly timelines = new SvelteMap<RoomId, Timeline>()
  readonly addresses: Addresses
  readonly quotes: Quotes
  readonly opening: Opening
  readonly drafts: Drafts
  readonly sending = new Sending()
  readonly files = new Files()
  readonly duties: Duties
  readonly user: string
  /** What is kept on this device for reading; there as soon as it is loaded. */
  keeper = $state.raw<Keeper | null>(null)
  #asked = false
  #stopped = false
  #epoch: string | null = null // of the newest connection; that of its streams is known later
  /** The calls over HTTP, for what a page of its own asks and does. */
  readonly api: Api
  readonly #link: Link
  readonly #follower: Follower
  readonly #listeners = new Set<(event: RoomEvent | MeEvent) => void>()
  readonly #watchers = new Set<(frame: Passing) => void>()
  readonly #outbox: Outbox
  readonly #transfers: Transfers
  readonly #markers: Markers
  readonly #ended: ClientOptions['ended']
  #open = $state<RoomId | null>(null)

  constructor({ base, sessions, user, database, tab, tabs, ended }: ClientOptions) {
    this.user = user
    this.drafts = new Drafts(user)
    this.#ended = ended
    this.api = new Api(base, sessions)
    this.#follower = new Follower({
      happened: (event) => this.#happened(event),
      mine: (event) => this.#mine(event),
      reload: (stream) => this.#reload(stream),
      forget: (room) => this.#forget(room),
    })
    this.rooms = new Rooms(this.api, () => this.#listed())
    this.addresses = new Addresses(this.api, async (id) => (await this.keeper?.picture(id)) ?? null)
    this.quotes = new Quotes(this.api)
    this.opening = new Opening(this.api)
    this.duties = new Duties(this.api, user, this.rooms, (command) => this.request(command))
    this.listen((event) => this.duties.heard(event))
    this.#markers = new Markers((room, upto) => this.#sendMarker(room, upto))
    this.#transfers = new Transfers({
      user,
      tab,
      tabs,
      store: fileStore(database),
      send: fileSender(base, sessions),
      giveUp: ({ path, attachment }) => {
        // Out of reach, the server sweeps it by itself.
        const told = attachment === undefined ? path && this.api.abandon(path) : this.api.withdraw(attachment.id)
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
      send: (...message) => this.duties.deliver(...message),
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
        if (state.name !== 'stopped' || (state.lost !== CLOSE.badToken && state.lost !== CLOSE.device)) return
        this.#ended(state.problem, false, state.lost === CLOSE.device)
      },
      up: (hello, socket) => void this.#up(hello, socket),
      event: (frame) => this.#follower.run(this.#follower.streams.event(frame)),
      passing: (frame) => {
        this.duties.passing(frame)
        for (const heard of this.#watchers) heard(frame)
      },
      down: () => this.#follower.disconnected(),
      erase: (problem) => this.#ended(problem, true),
    })
  }

  start(): void {
    this.#link.start()
    this.rooms.reload()
    void this.duties.announcing.load()
    void this.#loadMe()
    void this.#restore()
    void this.#keep()
  }

  stop(): void {
    this.#stopped = true
    this.keeper?.stop()
    this.#link.stop()
    this.#outbox.stop()
    this.#transfers.stop()
    this.rooms.stop()
    this.duties.stop()
    this.drafts.clear()
  }

  /** The page is looked at again, or the network came back: timers may have slept. */
  poke(): void {
    this.connection.network(navigator.onLine)
    this.#link.poke()
    this.#transfers.wake()
    this.rooms.wake()
  }

  /** A command over the live connection. Raises `Unreachable` without one, `Problem` for a refusal. */
  request<C extends Command>(command: C): Promise<AnswerTo<C>> {
    return this.#follower.request(command)
  }

  /** Tells `heard` every event of one's rooms and one's own, once and in order, until the answer is called. */
  listen(heard: (event: RoomEvent | MeEvent) => void): () => void {
    this.#listeners.add(heard)
    return () => this.#listeners.delete(heard)
  }

  /** Tells `heard` what is said in passing, until the answer is called. */
  watch(heard: (frame: Passing) => void): () => void {
    this.#watchers.add(heard)
    return () => this.#watchers.delete(heard)
  }

  /** The room on the screen. */
  open(room: RoomId | null): void {
    if (this.#open === room) return
    if (this.#open !== null) this.timelines.get(this.#open)?.leave()
    this.#open = room
    this.duties.looking.at(room)
    // Where the unread messages begin is in the list.
    if (room !== null && this.rooms.loaded) this.#show(room)
  }

  /** Whether the server lets this person take back an attachment that `author` sent into the room on the screen. */
  mayWithdraw(author: Author): boolean {
    return author.id === this.user || (this.#open !== null && this.rooms.get(this.#open)?.role === 'owner')
  }

  #listed(): void {
    if (this.#open !== null && !this.timelines.has(this.#open)) this.#show(this.#open)
  }

  #show(room: RoomId): void {
    const listed = this.rooms.get(room)
    if (listed === undefined) return
    const { streams } = this.#follower
    let timeline = this.timelines.get(room)
    if (timeline === undefined) {
      timeline = new Timeline(room, this.api, (head) => this.#follower.run(streams.snapshot(room, head)))
    } else {
      this.timelines.delete(room)
    }
    timeline.comeBack(listed.unread > 0 ? listed.read : null)
    this.timelines.set(room, timeline)
    for (const [other] of [...this.timelines].slice(0, -HELD)) {
      this.timelines.delete(other)
      this.#follower.streams.release(other)
    }
    if (timeline.status !== 'ready') {
      this.#load(timeline)
      setTimeout(() => void this.keeper?.fill(timeline!), this.connection.open ? PATIENCE : 0)
    }
  }

  /** List and profile are the server's own of this visit: worth keeping. */
  get fresh(): boolean {
    return this.connection.open && this.rooms.fresh && this.#asked
  }

  async #keep(): Promise<void> {
    const { begin } = await import('./keeper.svelte')
    if (!this.#stopped) this.keeper = begin(this, this.#epoch)
  }

  /** `at`: the server is to send it then. */
  send(room: RoomId, draft: Draft, at?: number): void {
    const { text: said, shown: read } = draft.said
    const photos = draft.photos.map(({ name, blob }) => ({ name, blob }))
    const files = draft.files.map(({ key, name, size }) => ({ key, name, size }))
    const quote = draft.quote === null ? {} : { quote: draft.quote }
    const shown = read === said ? {} : { shown: read }
    void this.post({ room, text: said, photos, files, ...shown, ...quote, ...draft.wishes(at) })
    draft.clear()
    // What one says stands at the end: that is where one looks for it.
    this.timelines.get(room)?.toNewest()
  }

  /** Into the queue. Resolves when it is on the device's disk. */
  async post(draft: Composed): Promise<void> {
    const said = draft.text.replace(/^\n+|\s+$/g, '')
    if (said === '' && draft.photos.length === 0 && (draft.files ?? []).length === 0) return
    const id = newKey()
    this.sending.began(id, this.timelines.get(draft.room)?.newest?.seq ?? 0)
    await this.#outbox.add({ ...draft, text: said }, id)
  }

  /** Without a time that has passed or a level that is not theirs to use. */
  sendWithoutWish(id: string, wish: 'confirm' | 'level' | 'at'): void {
    void this.#outbox.without(id, wish)
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
    version.met(hello.protocol)
    this.#epoch = hello.epoch
    this.keeper?.met(hello.epoch)
    try {
      const resumed = await this.#follower.resume(socket)
      this.rooms.heads(resumed.rooms)
    } catch (error) {
      // Lost again already: the link dials anew. An error here would leave us connected and deaf.
      if (error instanceof Problem) socket.close()
      return
    }
    this.live += 1
    this.#outbox.wake()
    this.#transfers.wake()
    library().catch(() => undefined)
    this.#markers.wake()
    this.duties.wake()
    this.rooms.wake()
    this.addresses.wake()
    this.quotes.wake()
    // Also its rules: what may stay on this device.
    void this.#loadMe()
    for (const timeline of this.timelines.values()) {
      if (timeline.status === 'failed' || timeline.stale !== null) this.#load(timeline)
      if (timeline.older === 'failed') void timeline.loadOlder()
    }
  }

  /** What earlier pages left: files of messages go on, the others stand in what is being written. */
  async #restore(): Promise<void> {
    const files = await this.#transfers.restore().catch(() => [])
    await this.#outbox.restore()
    this.files.restored(files, this.#outbox.files, this.drafts)
  }

  async #sendMarker(room: RoomId, upto: number): Promise<void> {
    await this.request({ op: 'read', room, upto })
    const newest = this.timelines.get(room)?.newest?.seq ?? Infinity
    this.rooms.read(room, upto, upto >= newest && this.#follower.streams.caughtUp(room))
  }

  async #loadMe(): Promise<void> {
    const me = await this.api.me().catch(() => null) // failing, it is asked for again with the next connection
    if (me === null) return
    this.me = me
    this.#asked = true
  }

  #load(timeline: Timeline): void {
    const unread = this.rooms.get(timeline.room)?.unread ?? 0
    timeline.load(unread).catch(() => setTimeout(() => this.#loadAgain(timeline), AGAIN))
  }

  /** Calls may fail while the connection stands (a proxy that restarts); without one, the next one asks. */
  #loadAgain(timeline: Timeline): void {
    const wanted = timeline.status === 'failed' || timeline.stale !== null
    if (wanted && this.connection.open && this.timelines.get(timeline.room) === timeline) this.#load(timeline)
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #reload(stream: StreamId): void {
    if (stream === null) {
      this.rooms.reload()
      void this.#loadMe()
      return
    }
    const timeline = this.timelines.get(stream)
    if (timeline === undefined) this.#follower.streams.release(stream)
    else this.#load(timeline)
    this.rooms.mark(stream)
  }

  #forget(room: RoomId): void {
    this.timelines.delete(room)
    this.rooms.remove(room)
    void this.keeper?.forget(room)
  }

  #happened(event: RoomEvent): void {
    this.timelines.get(event.room)?.apply(event)
    for (const heard of this.#listeners) heard(event)
    heardInRoom(this, event)
  }

  #mine(event: MeEvent): void {
    for (const heard of this.#listeners) heard(event)
    heardOwn(this, event)
    if (event.kind === 'profile') void this.#loadMe()
    else if (event.kind === 'room_lost') {
      this.#follower.streams.forget(event.room)
      this.#forget(event.room)
    }
  }
}
