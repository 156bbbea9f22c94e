import { newKey } from '../protocol/ids'
import type { MeEvent, Message, Room, RoomEvent, RoomId } from '../protocol/types'
import { plainText } from '../text/plain'
import { text } from '../text/words.svelte'
import type { Client } from './client.svelte'
import { preferences } from './preferences.svelte'
import { route } from './route.svelte'

/** Messages of so many milliseconds are told together, and other tabs have as long to say that somebody reads there. */
const TOGETHER = 400
/** From more rooms on, one notification says it: after a night, nobody wants thirty. */
const MANY = 3
const LINE = 120

export type Permission = NotificationPermission | 'unsupported'

type Word = { ask: string; room: RoomId } | { seen: string }

interface News {
  room: Room
  message: Message
  count: number
}

/** Whether the browser lets this page notify; over plain http it never does. */
export function permission(): Permission {
  return 'Notification' in globalThis && isSecureContext ? Notification.permission : 'unsupported'
}

/** Tells of messages that the person does not see, once for all tabs, as the room's and their own settings allow. */
export class Notifying {
  permission = $state<Permission>(permission())
  /** What waits for the person: every message of most rooms, only being named in rooms where they chose so. */
  readonly unread = $derived.by(() =>
    this.#client.rooms.groups.flatMap(({ rooms }) => rooms).reduce((sum, room) => sum + weight(room), 0),
  )
  readonly #client: Client
  readonly #tabs = new BroadcastChannel('renraku-ring')
  readonly #silence: (() => void)[] = []
  readonly #news = new Map<RoomId, News>()
  readonly #shown = new Map<RoomId, Notification>()
  /** Where pushes arrive: what they show and what this page shows of a room is then one notification. */
  #pushed: ServiceWorkerRegistration | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Questions to the other tabs whether somebody looks at a room, and the rooms where somebody does. */
  #asked = new Map<string, RoomId>()
  #looked = new Set<RoomId>()
  #rings = false
  #departments: Promise<Set<string>> | null = null

  constructor(client: Client) {
    this.#client = client
    this.#silence.push(client.listen((event) => this.#heard(event)))
    this.#tabs.onmessage = ({ data }: MessageEvent<Word>) => this.#answer(data)
    this.#lead()
    void this.push()
    const looked = () => this.#looking()
    document.addEventListener('visibilitychange', looked)
    addEventListener('focus', looked)
    this.#silence.push(() => {
      document.removeEventListener('visibilitychange', looked)
      removeEventListener('focus', looked)
    })
  }

  stop(): void {
    clearTimeout(this.#timer)
    for (const end of this.#silence) end()
    for (const shown of this.#shown.values()) shown.close()
    this.#tabs.close()
  }

  /** Asks the browser; it lets a page ask only when the person has just pressed something. */
  async turnOn(): Promise<void> {
    if (this.permission === 'default') await Notification.requestPermission().catch(() => undefined)
    this.permission = permission()
    preferences.change({ notify: this.permission === 'granted' })
    void this.push()
  }

  turnOff(): void {
    preferences.change({ notify: false })
    this.#pushed = null
    void import('./pushing').then(({ unsubscribe }) => unsubscribe(this.#client.api)).catch(() => undefined)
  }

  /** At every start, because subscriptions end without a word: this device is pushed as its person wants. */
  async push(): Promise<void> {
    if (this.permission !== 'granted' || !preferences.work.notify) return
    this.#pushed = await import('./pushing').then(({ subscribe }) => subscribe(this.#client.api)).catch(() => null)
  }

  /** How they look, for the person to see that they come. */
  sample(body: string): void {
    this.#show(null, text.words.product, body)
  }

  // --- one tab of many ------------------------------------------------------------------------------------------

  /** The tab that holds the lock rings; when it is closed, the next one holds it. */
  #lead(): void {
    if (!('locks' in navigator)) {
      this.#rings = true
      return
    }
    const leaving = new AbortController()
    this.#silence.push(() => leaving.abort())
    navigator.locks
      .request('renraku:ring', { signal: leaving.signal }, async () => {
        this.#rings = true
        await new Promise<void>((done) => leaving.signal.addEventListener('abort', () => done()))
      })
      .catch(() => undefined)
  }

  #answer(word: Word): void {
    if ('ask' in word) {
      if (this.#reads(word.room)) this.#tabs.postMessage({ seen: word.ask } satisfies Word)
      return
    }
    const room = this.#asked.get(word.seen)
    if (room !== undefined) this.#looked.add(room)
  }

  #reads(room: RoomId): boolean {
    return document.visibilityState === 'visible' && document.hasFocus() && route.room === room
  }

  /** Somebody is back at the page: what was told of the room before them is no news. */
  #looking(): void {
    this.permission = permission()
    if (route.room !== null && this.#reads(route.room)) this.#withdraw(route.room)
  }

  /** What is newer than `upto` is still to be read: a phone that wakes hears of what was read while it slept. */
  #withdraw(room: RoomId, upto = Infinity): void {
    if ((this.#news.get(room)?.message.seq ?? 0) <= upto) this.#news.delete(room)
    const isRead = ({ data }: Notification) => (data?.seq ?? 0) <= upto
    const shown = this.#shown.get(room)
    if (shown !== undefined && isRead(shown)) {
      shown.close()
      this.#shown.delete(room)
    }
    void this.#pushed?.getNotifications({ tag: `renraku-${room}` }).then((all) => all.filter(isRead).forEach((one) => one.close()))
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #heard(event: RoomEvent | MeEvent): void {
    if (event.op === 'me') {
      // Read on the phone: the desk need not tell of it any more.
      if (event.kind === 'read') this.#withdraw(event.room, event.upto)
      if (event.kind === 'profile' || event.kind === 'directory') this.#departments = null
      return
    }
    if (event.kind !== 'message' || !this.#rings) return
    if (!preferences.work.notify || this.permission !== 'granted' || preferences.quietAt(new Date())) return
    void this.#consider(event.room, event.message)
  }

  async #consider(id: RoomId, message: Message): Promise<void> {
    const room = this.#client.rooms.get(id)
    if (room === undefined || room.involvement === 'nothing' || message.author.id === this.#client.user) return
    if (room.involvement === 'mentions' && !(await this.#named(message))) return
    if (this.#reads(id)) return
    const before = this.#news.get(id)
    this.#news.set(id, { room, message, count: (before?.count ?? 0) + 1 })
    if (before === undefined) {
      const ask = newKey()
      this.#asked.set(ask, id)
      this.#tabs.postMessage({ ask, room: id } satisfies Word)
    }
    this.#timer ??= setTimeout(() => this.#tell(), TOGETHER)
  }

  async #named(message: Message): Promise<boolean> {
    const keys = Object.keys(message.mentions ?? {})
    if (keys.includes('everyone') || keys.includes(`user:${this.#client.user}`)) return true
    const departments = keys.filter((key) => key.startsWith('department:')).map((key) => key.slice(11))
    if (departments.length === 0) return false
    this.#departments ??= this.#mine()
    const mine = await this.#departments
    return departments.some((department) => mine.has(department))
  }

  /** The departments that one is called by: those of one's appointments and all above them. */
  async #mine(): Promise<Set<string>> {
    try {
      const { api, user } = this.#client
      const [{ appointments }, { departments }] = await Promise.all([
        api.call<{ appointments: { department: { id: string } }[] }>(`/api/people/${encodeURIComponent(user)}`),
        api.call<{ departments: { id: string; parent: string | null }[] }>('/api/directory'),
      ])
      const above = new Map(departments.map(({ id, parent }) => [id, parent]))
      const mine = new Set<string>()
      for (const { department } of appointments) {
        for (let at: string | null | undefined = department.id; at != null && !mine.has(at); at = above.get(at)) mine.add(at)
      }
      return mine
    } catch {
      this.#departments = null
      return new Set()
    }
  }

  // --- telling --------------------------------------------------------------------------------------------------

  #tell(): void {
    this.#timer = undefined
    const news = [...this.#news].filter(([room]) => !this.#looked.has(room) && !this.#reads(room))
    this.#news.clear()
    this.#looked.clear()
    this.#asked.clear()
    const words = text.words.notify
    if (news.length > MANY) {
      const count = news.reduce((sum, [, { count }]) => sum + count, 0)
      this.#show(null, text.words.product, words.many(news.length, count))
      return
    }
    for (const [id, { room, message, count }] of news) {
      const said =
        count > 1
          ? words.several(count)
          : preferences.work.telling === 'text'
            ? `${message.author.name}: ${plainText(message).slice(0, LINE)}`
            : words.one(message.author.name)
      this.#show(id, room.name, said, message.seq)
    }
  }

  #show(room: RoomId | null, title: string, body: string, seq?: number): void {
    const data = room === null ? {} : { room, seq }
    if (this.#pushed !== null) {
      void this.#pushed.showNotification(title, { body, tag: `renraku-${room ?? 'many'}`, data }).catch(() => undefined)
      return
    }
    let shown: Notification
    try {
      shown = new Notification(title, { body, tag: `renraku-${room ?? 'many'}`, data })
    } catch {
      // Android has notifications of a service worker alone.
      return
    }
    if (room !== null) this.#shown.set(room, shown)
    shown.onclick = () => {
      globalThis.focus()
      if (room !== null) route.go(room)
      shown.close()
    }
  }
}

function weight({ involvement, unread, mentioned }: Room): number {
  if (involvement === 'nothing') return 0
  return involvement === 'everything' ? unread : mentioned ? 1 : 0
}
