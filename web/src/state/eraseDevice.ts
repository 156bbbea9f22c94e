import type { Database } from '../protocol/database'
import { type DeviceDatabase, openDeviceDatabase } from '../protocol/deviceDatabase'
import { fileStore, sendStore } from '../protocol/sends'
import { lock } from './lock.svelte'
import { SHARED } from './shared'

/**
 * Nothing of a person may stay on a shared computer: what waits, what was kept for reading, what was shared or
 * photographed, and their lock. What belongs to the device stays: organization, language, text size.
 * The one place that wipes: whoever keeps something on the device adds it here.
 */
export async function eraseDevice(database: Promise<Database>, device?: Promise<DeviceDatabase>): Promise<void> {
  lock.remove()
  const other = device ?? openDeviceDatabase()
  const kept = async () => {
    const db = await other
    await Promise.all([db.clear('kept'), db.clear('shots')])
    if (device === undefined) db.close()
  }
  await Promise.allSettled([
    sendStore(database).clear(),
    fileStore(database).clear(),
    kept(),
    'caches' in globalThis ? caches.delete(SHARED) : undefined,
  ])
}
