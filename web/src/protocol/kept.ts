import type { DeviceDatabase, KeptRow } from './deviceDatabase'
import type { UserId } from './types'
import { hidden, shown } from './vault'

/** One person's rows of what was read; sealed with `key` where there is one. What cannot be opened is not there. */
export class Kept {
  readonly #database: Promise<DeviceDatabase>
  readonly #user: UserId
  readonly #key: CryptoKey | null
  /** Nothing is written any more: the person is leaving, and a late write would outlive the wipe. */
  #closed = false

  constructor(database: Promise<DeviceDatabase>, user: UserId, key: CryptoKey | null) {
    this.#database = database
    this.#user = user
    this.#key = key
  }

  async json<T>(place: string): Promise<T | undefined> {
    const found = await this.bytes(place)
    return found === undefined ? undefined : (JSON.parse(new TextDecoder().decode(found.bytes)) as T)
  }

  async bytes(place: string): Promise<{ type: string; bytes: Uint8Array<ArrayBuffer> } | undefined> {
    const row = await (await this.#database).get('kept', place)
    if (row === undefined || row.user !== this.#user) return undefined
    try {
      if (row.sealed === undefined) return row.plain && { type: row.type, bytes: new Uint8Array(row.plain) }
      return this.#key === null ? undefined : { type: row.type, bytes: await shown(this.#key, place, row.sealed) }
    } catch {
      return undefined
    }
  }

  putJson(place: string, value: unknown): Promise<void> {
    return this.put(place, 'application/json', new TextEncoder().encode(JSON.stringify(value)))
  }

  async put(place: string, type: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const row: KeptRow = { place, user: this.#user, at: Date.now(), size: bytes.byteLength, type }
    if (this.#key === null) row.plain = bytes.buffer
    else row.sealed = await hidden(this.#key, place, bytes)
    if (!this.#closed) await (await this.#database).put('kept', row)
  }

  async remove(place: string): Promise<void> {
    await (await this.#database).delete('kept', place)
  }

  /** Leaves of what begins with `prefix` only what is `wanted`, the newest first, up to `most` rows and `bytes`. */
  async trim(prefix: string, most: number, bytes: number, wanted: (name: string) => boolean): Promise<void> {
    const tx = (await this.#database).transaction('kept', 'readwrite')
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
    const rows = (await tx.store.getAll(range)).map(({ place, at, size }) => ({ place, at, size }))
    let [count, total] = [0, 0]
    for (const { place, size } of rows.sort((a, b) => b.at - a.at)) {
      if (wanted(place.slice(prefix.length)) && ++count <= most && (total += size) <= bytes) continue
      void tx.store.delete(place)
    }
    await tx.done
  }

  /** Bytes of all that is kept. */
  async size(): Promise<number> {
    return (await (await this.#database).getAll('kept')).reduce((sum, { size }) => sum + size, 0)
  }

  async clear(): Promise<void> {
    await (await this.#database).clear('kept')
  }

  /** What another person or another key left. */
  async clearForeign(): Promise<void> {
    const tx = (await this.#database).transaction('kept', 'readwrite')
    for (const row of await tx.store.getAll()) {
      if (row.user !== this.#user || (row.sealed !== undefined) !== (this.#key !== null)) void tx.store.delete(row.place)
    }
    await tx.done
  }

  close(): void {
    this.#closed = true
  }
}
