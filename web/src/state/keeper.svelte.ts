import { type DeviceDatabase, openDeviceDatabase } from '../protocol/deviceDatabase'
import { Kept } from '../protocol/kept'
import type { AttachmentId, Me, Message, Room, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { lock } from './lock.svelte'
import type { Timeline } from './timeline.svelte'

/** The newest of a room: several screens, which is what one looks up without a line. */
const MESSAGES = 100
const ROOMS = 30
const ROOM_BYTES = 16 * 2 ** 20
const PICTURES = 400
const PICTURE_BYTES = 24 * 2 ** 20
const EVERY = 4_000
const FRESH = 60_000
/** A picture on a line that hangs must not keep everything else from being kept. */
const PATIENCE = 10_000

interface KeptList {
  epoch: string
  at: number
  me: Me
  rooms: Room[]
}

interface KeptRoom {
  epoch: string
  at: number
  first: boolean
  messages: Message[]
}

/**
 * Keeps on the device what was loaded, if the organization lets it, and gives it back while there is no line. It only
 * ever stands in for what the server has not answered yet: a room that came from here is no room that is held
 * (`Streams`), so the server's own answer takes its place as a whole, and another epoch drops everything.
 */
export class Keeper {
  readonly #client: Client
  readonly #database: Promise<DeviceDatabase>
  #kept: Kept | null = null
  #epoch: string | null = null
  #listed: unknown = null
  #seen = 0
  #saved = new Map<RoomId, readonly Message[]>()
  /** Rooms of the list when what is kept of them was last cut; null before. */
  #known: ReadonlySet<RoomId> | null = null
  #cut = 0
  #grown = false
  #pictures = new Set<AttachmentId>()
  /** Addresses that gave no picture: the next one may. */
  #vain = new Map<AttachmentId, string>()
  #urls: string[] = []
  #timer: ReturnType<typeof setInterval> | undefined
  #saving = false
  #stopped = false
  /** When what is kept was last known to be true. */
  at = $state<number | null>(null)

  constructor(client: Client, database: Promise<DeviceDatabase>) {
    this.#client = client
    this.#database = database
  }

  /** Gives back what is kept, and keeps from now on. Waits until the lock is open. */
  async start(): Promise<void> {
    await this.#use(await lock.key())
    if (this.#stopped) return
    lock.changed = (key) => void this.#rekey(key)
    const list = await this.#kept?.json<KeptList>('list')
    if (list !== undefined && !this.#stopped) {
      const seen = await this.#kept?.json<number>('seen')
      this.at = Math.max(list.at, seen ?? 0)
      // Another epoch: the server was restored, and what is kept may never have happened.
      if (this.#epoch !== null && this.#epoch !== list.epoch) await this.clear()
      else this.#offer(list)
    }
    this.#timer = setInterval(() => void this.#save(), EVERY)
    document.addEventListener('visibilitychange', this.#away)
    for (const timeline of this.#client.timelines.values()) void this.fill(timeline)
  }

  #offer({ me, rooms }: KeptList): void {
    this.#client.me ??= me
    this.#client.rooms.offer(rooms)
  }

  stop(): void {
    this.#stopped = true
    this.#kept?.close()
    clearInterval(this.#timer)
    document.removeEventListener('visibilitychange', this.#away)
    if (lock.changed !== null) lock.changed = null
    for (const url of this.#urls) URL.revokeObjectURL(url)
  }

  /** A connection: whose epoch it is, is what may be kept. */
  met(epoch: string): void {
    if (this.#epoch !== null && this.#epoch !== epoch) void this.clear()
    this.#epoch = epoch
  }

  /** Shows what is kept of a room until the server answers. */
  async fill(timeline: Timeline): Promise<void> {
    if (timeline.status === 'ready') return
    const room = await this.#kept?.json<KeptRoom>(`room:${timeline.room}`).catch(() => undefined)
    if (room === undefined || this.#stopped || (this.#epoch !== null && room.epoch !== this.#epoch)) return
    timeline.offer(room.messages, room.first, room.at)
  }

  /** The small picture of a photo, as an address for this page. */
  async picture(id: AttachmentId): Promise<string | null> {
    const found = await this.#kept?.bytes(`picture:${id}`).catch(() => undefined)
    if (found === undefined || this.#stopped) return null
    const url = URL.createObjectURL(new Blob([found.bytes], { type: found.type }))
    this.#urls.push(url)
    return url
  }

  async forget(room: RoomId): Promise<void> {
    this.#saved.delete(room)
    await this.#kept?.remove(`room:${room}`).catch(() => undefined)
  }

  /** Bytes on the device. */
  async size(): Promise<number> {
    return (await this.#kept?.size().catch(() => 0)) ?? 0
  }

  async clear(): Promise<void> {
    this.#saved.clear()
    this.#pictures.clear()
    this.#vain.clear()
    this.#listed = null
    this.at = null
    await this.#kept?.clear().catch(() => undefined)
  }

  async #use(key: CryptoKey | null): Promise<void> {
    this.#kept = new Kept(this.#database, this.#client.user, key)
    await this.#kept.clearForeign().catch(() => undefined)
  }

  async #rekey(key: CryptoKey | null): Promise<void> {
    this.#kept?.close()
    await this.clear()
    if (!this.#stopped) await this.#use(key)
  }

  readonly #away = () => {
    if (document.visibilityState === 'hidden') void this.#save()
  }

  async #save(): Promise<void> {
    const { me, rooms } = this.#client
    const kept = this.#kept
    if (kept === null || this.#saving || this.#stopped || !this.#client.fresh || this.#epoch === null || me === null) return
    if (me.rules?.device_cache !== 'allowed') {
      // The organization wants nothing here, or a server of an older version does not say.
      if (this.at !== null || this.#listed === null) await this.clear()
      this.#listed = rooms.groups
      return
    }
    this.#saving = true
    try {
      await this.#saveList(kept, this.#epoch, me)
      await this.#saveRooms(kept, this.#epoch)
      await this.#cutRooms(kept)
      await this.#savePictures(kept)
    } catch {
      // No room on the device, or a browser that keeps nothing: the page works, only not without a line.
    } finally {
      this.#saving = false
    }
  }

  async #saveList(kept: Kept, epoch: string, me: Me): Promise<void> {
    const { groups } = this.#client.rooms
    const at = Date.now()
    if (groups !== this.#listed) {
      const rooms = groups.flatMap((group) => group.rooms)
      this.#listed = groups
      this.#seen = at
      await kept.putJson('list', { epoch, at, me, rooms } satisfies KeptList)
    } else if (at - this.#seen > FRESH || document.visibilityState === 'hidden') {
      this.#seen = at
      await kept.putJson('seen', at)
    }
    this.at = at
  }

  async #saveRooms(kept: Kept, epoch: string): Promise<void> {
    for (const { room, status, latest, stale, recent, complete } of this.#client.timelines.values()) {
      if (status !== 'ready' || stale !== null || this.#saved.get(room) === recent) continue
      this.#saved.set(room, recent)
      const newest = recent.slice(-MESSAGES)
      const first = complete && latest && newest.length === recent.length
      await kept.putJson(`room:${room}`, { epoch, at: Date.now(), first, messages: newest } satisfies KeptRoom)
      this.#grown = true
    }
  }

  /** Cutting reads all that is kept of rooms: at once where one is gone, else each minute; not whenever one moves in the list. */
  async #cutRooms(kept: Kept): Promise<void> {
    const known = new Set(this.#client.rooms.groups.flatMap(({ rooms }) => rooms.map(({ id }) => id)))
    const gone = this.#known === null || [...this.#known].some((room) => !known.has(room))
    if (gone || (this.#grown && Date.now() - this.#cut > FRESH)) {
      this.#cut = Date.now()
      this.#grown = false
      await kept.trim('room:', ROOMS, ROOM_BYTES, (room) => known.has(room))
    }
    this.#known = known
  }

  /** What is on the screen has just been fetched, so this asks the browser's own cache and not the line. */
  async #savePictures(kept: Kept): Promise<void> {
    const wanted = new Set<AttachmentId>()
    for (const messages of this.#saved.values()) {
      for (const { attachments = [] } of messages.slice(-MESSAGES)) {
        for (const { id, kind, state } of attachments) if (kind === 'photo' && state === 'ready') wanted.add(id)
      }
    }
    let added = false
    for (const id of wanted) {
      const known = this.#client.addresses.get(id)
      const path = known?.state === 'known' && known.until > Date.now() ? known.address.addresses?.thumbnail : undefined
      if (path === undefined || this.#pictures.has(id) || this.#vain.get(id) === path) continue
      // Before it is tried: one that hangs must not be the first again next time.
      this.#vain.set(id, path)
      const signal = AbortSignal.timeout(PATIENCE)
      const response = await fetch(path, { cache: 'force-cache', credentials: 'omit', redirect: 'error', signal })
      if (!response.ok) continue
      const type = response.headers.get('content-type') ?? 'image/jpeg'
      await kept.put(`picture:${id}`, type, new Uint8Array(await response.arrayBuffer()))
      this.#pictures.add(id)
      this.#vain.delete(id)
      added = true
    }
    for (const id of this.#pictures) {
      if (wanted.has(id)) continue
      // Withdrawn, or its message was taken back.
      this.#pictures.delete(id)
      await kept.remove(`picture:${id}`)
    }
    for (const id of this.#vain.keys()) if (!wanted.has(id)) this.#vain.delete(id)
    if (added) await kept.trim('picture:', PICTURES, PICTURE_BYTES, () => true)
  }
}

/** `epoch`: of the connection that is there already. */
export function begin(client: Client, epoch: string | null): Keeper {
  const keeper = new Keeper(client, openDeviceDatabase())
  if (epoch !== null) keeper.met(epoch)
  // A browser that keeps nothing: the page works, only not without a line.
  keeper.start().catch(() => undefined)
  return keeper
}
