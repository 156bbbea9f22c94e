import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Pending } from './pending'
import type { Held } from './session'
import type { StoredFile } from './transfer'

interface Schema extends DBSchema {
  /** At most one row, `current`. IndexedDB, not localStorage: only this is consistent between tabs at once. */
  session: { key: string; value: Held }
  /** What was not acknowledged yet. */
  sends: { key: string; value: Pending }
  /** Files on their way, with what is needed to go on after the page was closed. */
  files: { key: string; value: StoredFile }
  leases: { key: string; value: { name: string; holder: string; until: number } }
}

export type Database = IDBPDatabase<Schema>

export function openDatabase(name = 'renraku'): Promise<Database> {
  return openDB<Schema>(name, 2, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('session')
        db.createObjectStore('sends', { keyPath: 'client_msg_id' })
        db.createObjectStore('leases', { keyPath: 'name' })
      }
      if (before < 2) db.createObjectStore('files', { keyPath: 'key' })
    },
    // A newer page in another tab: it must not wait for this one to be closed.
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  })
}
