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
  const addresses = new Map<string, unknown>()
  let order = Array.from({ length: MANY }, (_, at) => ({ id: `r${at}`, name: `道路 ${at}` }))
  const shown = { room: 'r0', status: 'ready', latest: true, stale: null, complete: true, recent: [{ seq: 1 }] as { seq: number; attachments?: unknown[] }[] }
  const rooms = { groups: [{ rooms: order }] }
  const client = {
    user: 'tanaka', me: { rules: { device_cache: 'allowed' } }, fresh: true, rooms, addresses,
    timelines: new Map([['r0', shown]]),
  }
  const list = (rooms: typeof order) => (client.rooms.groups = [{ rooms: (order = rooms) }])
  return {
    client: client as unknown as Client,
    /** Somebody writes: the last room comes to the top. */
    move: () => list([order.at(-1)!, ...order.slice(0, -1)]),
    lose: (room: string) => list(order.filter(({ id }) => id !== room)),
    say: () => (shown.recent = [...shown.recent, { seq: shown.recent.length + 1 }]),
    /** Photos of one message, each at the address that it has now. */
    show: (...photos: [id: string, thumbnail: string][]) => {
      const attachments = photos.map(([id]) => ({ id, kind: 'photo', state: 'ready' }))
      shown.recent = [...shown.recent, { seq: shown.recent.length + 1, attachments }]
      for (const [id, thumbnail] of photos) {
        addresses.set(id, { state: 'known', until: Infinity, address: { addresses: { thumbnail } } })
      }
    },
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

  it('is cut now and then, not whenever a room moves; but a room that is gone goes at once', async () => {
    const trim = vi.spyOn(Kept.prototype, 'trim')
    const one = scene()
    const kept = await keeping(one)
    await pass(50, () => {
      one.move()
      one.say()
    })
    expect(trim).toHaveBeenCalledTimes(1)
    await pass(20, one.say)
    expect(trim).toHaveBeenCalledTimes(2)
    expect(await kept.json('room:r0')).toBeDefined()
    one.lose('r0')
    ;(one.client.timelines as Map<string, unknown>).clear()
    await pass(5, one.move)
    expect(await kept.json('room:r0')).toBeUndefined()
    expect(trim).toHaveBeenCalledTimes(3)
  })

  it('has a picture in the end that could not be fetched at first, and one that hangs holds up no other', async () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path)
      if (path === '/hangs') return Promise.reject(new DOMException('', 'TimeoutError'))
      return Promise.resolve(new Response('picture', { status: path === '/expired' ? 403 : 200 }))
    })
    const one = scene()
    const kept = await keeping(one)
    one.show(['p1', '/hangs'], ['p2', '/expired'], ['p3', '/good'])
    await pass(20, () => {})
    expect(asked).toEqual(['/hangs', '/expired', '/good'])
    expect(await kept.bytes('picture:p3')).toBeDefined()
    one.show(['p1', '/good-1'], ['p2', '/good-2'], ['p3', '/other'])
    await pass(5, () => {})
    expect(asked.slice(3)).toEqual(['/good-1', '/good-2'])
    expect(await kept.bytes('picture:p1')).toBeDefined()
    expect(await kept.bytes('picture:p2')).toBeDefined()
  })
})
