import type { Database } from './database'
import type { SendStore } from './pending'
import type { FileStore } from './transfer'

/** The outbox on the device's disk, photos included. */
export function sendStore(database: Promise<Database>): SendStore {
  return {
    all: async () => (await database).getAll('sends'),
    put: async (item) => void (await (await database).put('sends', item)),
    remove: async (id) => (await database).delete('sends', id),
    clear: async () => (await database).clear('sends'),
    adopt: (id, from, to) => adopt(database, 'sends', id, from, to),
  }
}

/** Files on their way: the bytes of small ones, and where the large ones stopped. */
export function fileStore(database: Promise<Database>): FileStore {
  return {
    all: async () => (await database).getAll('files'),
    put: async (file) => void (await (await database).put('files', file)),
    remove: async (key) => (await database).delete('files', key),
    clear: async () => (await database).clear('files'),
    adopt: (key, from, to) => adopt(database, 'files', key, from, to),
  }
}

async function adopt(
  database: Promise<Database>,
  store: 'sends' | 'files',
  key: string,
  from: string,
  to: string,
): Promise<boolean> {
  const tx = (await database).transaction(store, 'readwrite')
  const row = await tx.store.get(key)
  const ours = row !== undefined && row.tab === from
  if (ours) await tx.store.put({ ...row, tab: to } as never)
  await tx.done
  return ours
}

/** Holds a lock as long as this page lives, and names the pages that do. Without locks, no page is known to live. */
export function tabRegistry(tab: string): () => Promise<Set<string>> {
  if (!('locks' in navigator)) return async () => new Set()
  const prefix = 'renraku:tab:'
  void navigator.locks.request(prefix + tab, () => new Promise(() => undefined))
  return async () => {
    const { held = [] } = await navigator.locks.query()
    return new Set(held.flatMap(({ name }) => (name?.startsWith(prefix) ? [name.slice(prefix.length)] : [])))
  }
}
