import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDeviceDatabase } from '../src/protocol/deviceDatabase'
import { newKey } from '../src/protocol/ids'
import { Kept } from '../src/protocol/kept'
import type { Client } from '../src/state/client.svelte'

const SECOND = 1_000
const MANY = 300

/** As much of a client as the keeper looks at: rooms in a list that moves, one of them on the screen. */
function scene() {
  let order = Array.from({ length: MANY }, (_, at) => ({ id: `r${at}`, name: `道路 ${at}` }))
  const shown = { room: 'r0', status: 'ready', latest: true, stale: null, complete: true, recent: [{ seq: 1 }] }
  const rooms = { groups: [{ rooms: order }] }
  const client = {
    user: 'tanaka', me: { rules: { device_cache: 'allowed' } }, fresh: true, rooms, addresses: new Map(),
    timelines: new Map([['r0', shown]]),
  }
  const list = (rooms: typeof order) => (client.rooms.groups = [{ rooms: (order = rooms) }])
  return {
    client: client as unknown as Client,
    /** Somebody writes: the last room comes to the top. */
    move: () => list([order.at(-1)!, ...order.slice(0, -1)]),
  }
}

describe('what is kept for reading without a line', () => {
  const name = newKey()
  let stop = () => {}

  beforeEach(() => {
    const page = { visibilityState: 'visible', addEventListener: () => {}, removeEventListener: () => {} }
    vi.stubGlobal('document', page)
    vi.stubGlobal('addEventListener', () => {})
    vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {}, removeItem: () => {} })
    // What IndexedDB needs goes on by the real clock.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  async function keeping({ client }: ReturnType<typeof scene>) {
    const { Keeper } = await import('../src/state/keeper.svelte')
    const database = openDeviceDatabase(`${name}-${newKey()}`)
    const keeper = new Keeper(client, database)
    stop = () => keeper.stop()
    keeper.met('e1')
    await keeper.start()
    return new Kept(database, 'tanaka', null)
  }

  /** Time passes, and what the keeper began in it comes to its end: IndexedDB here needs turns of the loop, not time. */
  async function pass(seconds: number, meanwhile: () => void) {
    for (let second = 0; second < seconds; second += 1) {
      meanwhile()
      vi.advanceTimersByTime(SECOND)
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('is written within five seconds, also while hundreds of rooms move', async () => {
    const one = scene()
    const kept = await keeping(one)
    await pass(5, one.move)
    const first = await kept.json<{ at: number; rooms: unknown[] }>('list')
    expect(first!.rooms).toHaveLength(MANY)
    await pass(5, one.move)
    expect((await kept.json<{ at: number }>('list'))!.at).toBeGreaterThan(first!.at)
  })
})
