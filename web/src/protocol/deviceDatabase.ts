import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { RoomId, UserId } from './types'
import type { Sealed } from './vault'

/** Something that was read, kept to be read again without a line. */
export interface KeptRow {
  place: string
  user: UserId
  at: number
  size: number
  /** Of a picture; what is not one is JSON. */
  type: string
  plain?: ArrayBuffer
  sealed?: Sealed
}

export type Mark = 'before' | 'after' | null

/** A photo that was taken and not sent off yet. */
export interface StoredShot {
  key: string
  user: UserId
  room: RoomId
  order: number
  name: string
  blob: Blob
  caption: string
  mark: Mark
}

interface Schema extends DBSchema {
  kept: { key: string; value: KeptRow }
  shots: { key: string; value: StoredShot }
}

export type DeviceDatabase = IDBPDatabase<Schema>

/**
 * What belongs to this device alone and may be thrown away at any time; what must arrive is in `database`. In one of
 * its own, so that neither has to wait for the other's next version.
 */
export function openDeviceDatabase(name = 'renraku-device'): Promise<DeviceDatabase> {
  return openDB<Schema>(name, 1, {
    upgrade(db) {
      db.createObjectStore('kept', { keyPath: 'place' })
      db.createObjectStore('shots', { keyPath: 'key' })
    },
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  })
}
