import type { Database } from './database'
import type { SendStore } from './outbox'

/** The outbox on the device's disk, photos included. */
export function sendStore(database: Promise<Database>): SendStore {
  return {
    all: async () => (await database).getAll('sends'),
    put: async (item) => void (await (await database).put('sends', item)),
    remove: async (id) => (await database).delete('sends', id),
    clear: async () => (await database).clear('sends'),
    adopt: async (id, from, to) => {
      const tx = (await database).transaction('sends', 'readwrite')
      const item = await tx.store.get(id)
      const ours = item !== undefined && item.tab === from
      if (ours) await tx.store.put({ ...item, tab: to })
      await tx.done
      return ours
    },
  }
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
