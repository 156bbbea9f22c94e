import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { FileStore, StoredFile } from '../protocol/transfer'
import type { Handed } from './api'

interface Schema extends DBSchema {
  files: { key: string; value: StoredFile<Handed> }
}

/** What no visit came back for. Longer than a visit is good for. */
const FORGOTTEN = 3 * 24 * 60 * 60_000

/**
 * Files on their way, on this device: a phone may end the page while the camera is open. Of one visit alone, and gone from here
 * as soon as the server has them. Without storage everything works but this.
 */
export function visitStore(visit: string): FileStore<Handed> {
  const database: Promise<IDBPDatabase<Schema>> = openDB<Schema>('renraku-handin', 1, {
    upgrade: (db) => void db.createObjectStore('files', { keyPath: 'key' }),
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  })
  database.catch(() => undefined)
  return {
    async all() {
      try {
        const rows = await (await database).getAll('files')
        for (const row of rows) {
          if (row.user !== visit && row.order < Date.now() - FORGOTTEN) await (await database).delete('files', row.key)
        }
        return rows.filter((row) => row.user === visit)
      } catch {
        return []
      }
    },
    put: async (row) => void (await (await database).put('files', row)),
    remove: async (key) => (await database).delete('files', key),
    async clear() {
      const db = await database
      for (const row of await db.getAll('files')) if (row.user === visit) await db.delete('files', row.key)
    },
    // A tab that is doubled begins with the same visit; the files stay with the first.
    adopt: async (key, from, to) => {
      const tx = (await database).transaction('files', 'readwrite')
      const row = await tx.store.get(key)
      const ours = row?.tab === from
      if (ours) await tx.store.put({ ...row, tab: to })
      await tx.done
      return ours
    },
  }
}
