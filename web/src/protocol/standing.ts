import type { Database } from './database'
import { call } from './http'
import { newKey } from './ids'
import type { Sessions } from './session'

/** How this device stands with its organization (docs/protocol.md, section 12). */
export type State = 'ready' | 'waiting' | 'wipe' | 'elsewhere'

/** A token must live so long that the answer can come. */
const MINIMUM = 30_000

export async function standing(base: string, sessions: Sessions): Promise<State> {
  const token = await sessions.token(MINIMUM)
  return (await call<{ state: State }>(base, '/api/devices/me', { token })).body.state
}

/** How many unsent items were cleared before, if the server has yet to hear of it. */
export async function clearedBefore(database: Promise<Database>): Promise<number | undefined> {
  return (await (await database).get('session', 'current'))?.cleared
}

/** Kept with the session, which outlives everything else on the device: if the page is closed now, the number is not lost. */
export async function rememberCleared(database: Promise<Database>, unsent: number): Promise<void> {
  const db = await database
  const held = await db.get('session', 'current')
  if (held !== undefined) await db.put('session', { ...held, cleared: unsent }, 'current')
}

/** Says that everything is gone, and how much of it nobody had received. It ends the session. */
export async function confirmCleared(base: string, sessions: Sessions, unsent: number): Promise<void> {
  const token = await sessions.token(MINIMUM)
  await call(base, '/api/devices/me/wiped', { method: 'POST', body: { unsent }, token, key: newKey() })
}
