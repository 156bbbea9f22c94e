import { type DeviceDatabase, type Mark, openDeviceDatabase, type StoredShot } from '../protocol/deviceDatabase'
import { newKey } from '../protocol/ids'
import type { RoomId, UserId } from '../protocol/types'
import { batches } from '../text/captions'
import { uncalled } from '../text/mentions'
import type { Client } from './client.svelte'
import { photoName } from './drafts.svelte'
import { smaller } from './shrink'
import { load, save } from './stored'

export const AT_ONCE = 20
const SMALL = 'renraku.photos'

export class Shot {
  readonly key: string
  readonly name: string
  readonly blob: Blob
  caption = $state('')
  mark = $state<Mark>(null)

  constructor({ key, name, blob, caption, mark }: Pick<StoredShot, 'key' | 'name' | 'blob' | 'caption' | 'mark'>) {
    this.key = key
    this.name = name
    this.blob = blob
    this.caption = caption
    this.mark = mark
  }
}

/** Photos between the camera and the queue. On the disk at once: phones end pages while their camera is open. */
export class Shots {
  list = $state.raw<readonly Shot[]>([])
  words = $state('')
  /** False when the device could not keep one. */
  kept = $state(true)
  /** While they are made smaller: how many are. */
  shrunk = $state<number | null>(null)
  readonly room: RoomId
  readonly #user: UserId
  readonly #database: Promise<DeviceDatabase>

  constructor(room: RoomId, user: UserId, database: Promise<DeviceDatabase>) {
    this.room = room
    this.#user = user
    this.#database = database
  }

  /** As many as fit; answers how many did not. */
  async add(files: readonly File[]): Promise<number> {
    const fit = files.slice(0, Math.max(0, AT_ONCE - this.list.length))
    const added = fit.map((file) => new Shot({ key: newKey(), name: photoName(file), blob: file, caption: '', mark: null }))
    this.list = [...this.list, ...added]
    await this.save()
    return files.length - fit.length
  }

  restore(rows: StoredShot[]): void {
    this.list = [...rows.map((row) => new Shot(row)), ...this.list]
  }

  move(shot: Shot, by: 1 | -1): void {
    const list = [...this.list]
    const from = list.indexOf(shot)
    const to = from + by
    if (from < 0 || to < 0 || to >= list.length) return
    list.splice(from, 1)
    list.splice(to, 0, shot)
    this.list = list
    void this.save()
  }

  async remove(shot: Shot): Promise<void> {
    this.list = this.list.filter((other) => other !== shot)
    await this.#delete([shot.key])
  }

  async clear(): Promise<void> {
    const keys = this.list.map(({ key }) => key)
    this.list = []
    this.words = ''
    await this.#delete(keys)
  }

  /** Into the queue, in messages of as many photos as the server takes. They stay here until they are on its disk. */
  async send(client: Client, name: (mark: Mark) => string, small: boolean): Promise<void> {
    if (this.shrunk !== null) return
    this.shrunk = 0
    try {
      const photos: { shot: Shot; name: string; blob: Blob; caption: string; mark: string }[] = []
      for (const shot of this.list) {
        const blob = small ? await smaller(shot.blob) : shot.blob
        const renamed = blob === shot.blob ? shot.name : shot.name.replace(/\.\w+$/, '') + '.jpg'
        photos.push({ shot, name: renamed, blob, caption: shot.caption, mark: name(shot.mark) })
        this.shrunk += 1
      }
      for (const batch of batches(photos, this.words, client.limits.photos)) {
        await client.post({ room: this.room, text: uncalled(batch.text), photos: batch.photos.map(({ name, blob }) => ({ name, blob })) })
        // Each as soon as the queue has it: a page that ends in between must not send it again.
        const queued = new Set(batch.photos.map(({ shot }) => shot))
        this.list = this.list.filter((shot) => !queued.has(shot))
        await this.#delete([...queued].map(({ key }) => key))
      }
      this.words = ''
    } finally {
      this.shrunk = null
    }
  }

  async save(): Promise<void> {
    const [user, room] = [this.#user, this.room]
    try {
      const tx = (await this.#database).transaction('shots', 'readwrite')
      this.list.forEach(({ key, name, blob, caption, mark }, order) => {
        void tx.store.put({ key, user, room, order, name, blob, caption, mark })
      })
      await tx.done
    } catch {
      this.kept = false
    }
  }

  async #delete(keys: string[]): Promise<void> {
    try {
      const tx = (await this.#database).transaction('shots', 'readwrite')
      for (const key of keys) void tx.store.delete(key)
      await tx.done
    } catch {
      // They were not kept, then.
    }
  }
}

const ofClient = new WeakMap<Client, Map<RoomId, Shots>>()
const restoring = new WeakMap<Client, Promise<void>>()
const database = () => openDeviceDatabase()

/** Those of a room; asked for while the page is drawn, so that nothing reactive is made on the way. */
export function shotsOf(client: Client, room: RoomId): Shots {
  const known = ofClient.get(client) ?? new Map<RoomId, Shots>()
  ofClient.set(client, known)
  let shots = known.get(room)
  if (shots === undefined) known.set(room, (shots = new Shots(room, client.user, database())))
  return shots
}

/** What an earlier page had taken and not sent off. */
export function restoreShots(client: Client): Promise<void> {
  const once = restoring.get(client) ?? restore(client)
  restoring.set(client, once)
  return once
}

async function restore(client: Client): Promise<void> {
  try {
    const db = await database()
    const rows = (await db.getAll('shots')).sort((a, b) => a.order - b.order)
    for (const row of rows) if (row.user !== client.user) await db.delete('shots', row.key)
    // Another tab may have them on its screen: what two tabs hold would be sent twice.
    if (!(await alone())) return
    const own = rows.filter(({ user }) => user === client.user)
    for (const room of new Set(own.map(({ room }) => room))) {
      shotsOf(client, room).restore(own.filter((row) => row.room === room))
    }
  } catch {
    // A browser that keeps nothing.
  }
}

/** Whether no other tab of this browser is; from now on this one is, as long as it lives. */
function alone(): Promise<boolean> {
  if (!('locks' in navigator)) return Promise.resolve(true)
  return new Promise((resolve) => {
    void navigator.locks.request('renraku:shots', { ifAvailable: true }, (held) => {
      resolve(held !== null)
      return held === null ? undefined : new Promise(() => undefined)
    })
  })
}

export const wantsSmall = (): boolean => load(SMALL) === 'small'
export const chooseSmall = (small: boolean): void => save(SMALL, small ? 'small' : null)
