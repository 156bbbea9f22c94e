import type { Database } from './database'
import { newKey } from './ids'

/** Runs `task` while no other tab of this browser runs one of the same name. */
export type Lock = <T>(name: string, task: () => Promise<T>) => Promise<T>

export const webLock: Lock = (name, task) => navigator.locks.request(`renraku:${name}`, task) as Promise<never>

/**
 * The same by a lease in the database, for plain http, where browsers have no `navigator.locks`. IndexedDB serializes
 * transactions between tabs; a tab that died lets go after `lease` milliseconds, so `task` must take less.
 */
export function leaseLock(database: Promise<Database>, lease = 30_000, again = 50): Lock {
  return async (name, task) => {
    const db = await database
    const holder = newKey()
    const take = async (): Promise<boolean> => {
      const tx = db.transaction('leases', 'readwrite')
      const current = await tx.store.get(name)
      const free = current === undefined || current.until < Date.now()
      if (free) await tx.store.put({ name, holder, until: Date.now() + lease })
      await tx.done
      return free
    }
    while (!(await take())) await new Promise((resolve) => setTimeout(resolve, again))
    try {
      return await task()
    } finally {
      const tx = db.transaction('leases', 'readwrite')
      if ((await tx.store.get(name))?.holder === holder) await tx.store.delete(name)
      await tx.done
    }
  }
}

export function bestLock(database: Promise<Database>): Lock {
  return 'locks' in navigator ? webLock : leaseLock(database)
}
