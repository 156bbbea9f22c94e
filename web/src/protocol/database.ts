import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Pending } from './outbox'
import type { Held } from './session'

interface Schema extends DBSchema {
  /** At most one row, `current`. IndexedDB, not localStorage: only this is consistent between tabs at once. */
  session: { key: string; value: Held }
  /** What was not acknowledged yet. */
  sends: { key: string; value: Pending }
  leases: { key: string; value: { name: string; holder: string; until: number } }
}

export type Database = IDBPDatabase<Schema>

export function openDatabase(name = 'renraku'): Promise<Database> {
  return openDB<Schema>(name, 1, {
    upgrade(db) {
      db.createObjectStore('session')
      db.createObjectStore('sends', { keyPath: 'client_msg_id' })
      db.createObjectStore('leases', { keyPath: 'name' })
    },
  })
}
