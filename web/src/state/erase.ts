import type { Database } from '../protocol/database'
import { openDeviceDatabase } from '../protocol/deviceDatabase'
import type { UserId } from '../protocol/types'
import { draftStore } from './draftStore'
import { lock } from './lock.svelte'
import { clearNoteDrafts } from './noteDrafts'
import { OF_THE_DEVICE, preferences } from './preferences.svelte'

/** Caches that hold the page itself, the same for everybody. */
const PAGE_CACHE = /^renraku-page/
/** What is not the person's: the session has its owner (`Sessions`), leases hold no content. */
const KEPT = new Set(['session', 'leases'])

/**
 * Nothing that a person wrote, read or chose may stay on a shared computer: whatever there is in the database, in the
 * caches and in the storages, named or not, goes. Only what belongs to the device stays.
 */
export async function eraseDevice(database: Promise<Database>): Promise<void> {
  preferences.forgetPerson()
  lock.remove()
  clearStorages()
  await Promise.allSettled([clearDatabase(database), clearKept(), clearCaches(), clearNotifications()])
}

/**
 * What timers of this tab wrote for a person who left by another tab meanwhile: what stood in fields and notes, and what
 * was kept for reading. Only theirs: the next one may be here already.
 */
export async function forgetLate(user: UserId): Promise<void> {
  draftStore.clear(user)
  clearNoteDrafts(user)
  try {
    const db = await openDeviceDatabase()
    const tx = db.transaction('kept', 'readwrite')
    for (const row of await tx.store.getAll()) if (row.user === user) void tx.store.delete(row.place)
    await tx.done
    db.close()
  } catch {
    // A browser that keeps nothing.
  }
}

/** How many messages nobody has received yet lie on this device. */
export async function unsentOnDevice(database: Promise<Database>): Promise<number> {
  try {
    return await (await database).count('sends')
  } catch {
    return 0
  }
}

async function clearDatabase(database: Promise<Database>): Promise<void> {
  const db = await database
  const stores = [...db.objectStoreNames].filter((name) => !KEPT.has(name))
  await Promise.allSettled(stores.map((name) => db.clear(name)))
}

async function clearKept(): Promise<void> {
  const db = await openDeviceDatabase()
  await Promise.allSettled([...db.objectStoreNames].map((name) => db.clear(name)))
  db.close()
}

async function clearCaches(): Promise<void> {
  if (!('caches' in globalThis)) return
  const names = await caches.keys()
  await Promise.all(names.filter((name) => !PAGE_CACHE.test(name)).map((name) => caches.delete(name)))
}

function clearStorages(): void {
  try {
    sessionStorage.clear()
    for (const key of Object.keys(localStorage)) if (!OF_THE_DEVICE.includes(key)) localStorage.removeItem(key)
  } catch {
    // Storage is switched off: then there is nothing in it.
  }
}

/** Those that the service worker showed and nobody clicked: they name people and rooms. */
async function clearNotifications(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close()
}
