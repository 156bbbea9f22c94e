import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../src/protocol/database'
import { type Lock, leaseLock } from '../src/protocol/lock'
import { Problem, Unreachable } from '../src/protocol/problem'
import { type Held, Sessions, sessionStore, SignedOut } from '../src/protocol/session'
import { TestServer } from './support/server'
import { until } from './support/until'

let server: TestServer
let database: Promise<Database>
let count = 0

beforeEach(async () => {
  server = await new TestServer().listen()
  database = openDatabase(`session-${++count}`)
})

afterEach(async () => {
  await server.stop()
  ;(await database).close()
})

/** A tab of the same browser. */
function tab(lock: Lock = leaseLock(database, 5_000, 2)) {
  const ended: (Problem | null)[] = []
  const sessions = new Sessions({
    base: server.base,
    store: sessionStore(database),
    lock,
    ended: (problem) => ended.push(problem),
  })
  return { sessions, ended }
}

async function signedIn(lock?: Lock) {
  const result = tab(lock)
  const step = await result.sessions.begin('midorino', 'takahashi', 'test')
  expect(step).toEqual({ flow: 'flow-1', next: ['password'], signedIn: false })
  expect((await result.sessions.password(step.flow!, 'correct')).signedIn).toBe(true)
  return result
}

const held = async () => (await (await database).get('session', 'current')) as Held
const refreshes = () => server.calls.filter(({ path }) => path === '/api/sessions/refresh')

describe('signing in', () => {
  it('goes in steps, and keeps the session for the next visit', async () => {
    await signedIn()
    const later = tab()
    expect(await later.sessions.restore()).toBe(true)
    expect(later.sessions.user).toBe('me')
    expect(await later.sessions.token(1_000)).toBe((await held()).access_token)
  })

  it('tells a wrong password by number, and keeps nothing', async () => {
    const { sessions } = tab()
    const error = (await sessions.password('flow-1', 'wrong').catch((reason) => reason)) as Problem
    expect(error).toBeInstanceOf(Problem)
    expect(error.code).toBe(1001)
    expect(await tab().sessions.restore()).toBe(false)
  })

  it('tells that the server cannot be reached', async () => {
    const { sessions } = tab()
    await server.stop()
    await expect(sessions.begin('a', 'b', 'c')).rejects.toBeInstanceOf(Unreachable)
    server = await new TestServer().listen()
  })

  it('has no token without a session', async () => {
    await expect(tab().sessions.token(0)).rejects.toBeInstanceOf(SignedOut)
    await expect(tab().sessions.replace('x')).rejects.toBeInstanceOf(SignedOut)
  })
})

describe('refreshing', () => {
  it('happens only when too little time is left', async () => {
    const { sessions } = await signedIn()
    expect(sessions.ready(590_000)).toBe(await sessions.token(590_000))
    expect(refreshes()).toHaveLength(0)
    expect(sessions.ready(610_000)).toBeNull()
    await sessions.token(610_000)
    expect(refreshes()).toHaveLength(1)
  })

  it('goes by the clock of the server', async () => {
    server.clockAhead = -86_400_000
    const { sessions } = await signedIn()
    await sessions.token(500_000)
    expect(refreshes()).toHaveLength(0)
    server.clockAhead = 86_400_000
    const other = await signedIn()
    await other.sessions.token(500_000)
    expect(refreshes()).toHaveLength(0)
  })

  it('is one flight for all who ask at once', async () => {
    const { sessions } = await signedIn()
    server.refreshDelay = 30
    const tokens = await Promise.all([1, 2, 3, 4].map(() => sessions.token(610_000)))
    expect(new Set(tokens).size).toBe(1)
    expect(refreshes()).toHaveLength(1)
  })

  it('is one flight across tabs: the refresh token works once', async () => {
    const first = await signedIn()
    const tabs = [first, tab(), tab(), tab(), tab()]
    for (const { sessions } of tabs.slice(1)) await sessions.restore()
    const old = await first.sessions.token(0)
    server.refreshDelay = 40
    const tokens = await Promise.all(tabs.map(({ sessions }) => sessions.replace(old)))
    expect(new Set(tokens).size).toBe(1)
    expect(refreshes()).toHaveLength(1)
    expect(tabs.flatMap(({ ended }) => ended)).toEqual([])
    expect(server.accepts(tokens[0]!)).toBe(true)
  })

  it('without the lock the same race ends the session: the test above can fail', async () => {
    const none: Lock = (_, task) => task()
    const first = await signedIn(none)
    const second = tab(none)
    await second.sessions.restore()
    const old = await first.sessions.token(0)
    server.refreshDelay = 40
    const results = await Promise.allSettled([first, second].map(({ sessions }) => sessions.replace(old)))
    expect(results.some(({ status }) => status === 'rejected')).toBe(true)
  })

  it('adopts what another tab brought, without asking the server', async () => {
    const first = await signedIn()
    const second = tab()
    await second.sessions.restore()
    const old = await second.sessions.token(0)
    const fresh = await first.sessions.replace(old)
    expect(await second.sessions.replace(old)).toBe(fresh)
    expect(refreshes()).toHaveLength(1)
  })

  it('ends the session when the refresh token was used by somebody else', async () => {
    const { sessions, ended } = await signedIn()
    const stolen = (await held()).refresh_token
    await fetch(`${server.base}/api/sessions/refresh`, {
      method: 'POST',
      body: JSON.stringify({ refresh_token: stolen }),
    })
    const error = (await sessions.token(610_000).catch((reason) => reason)) as SignedOut
    expect(error).toBeInstanceOf(SignedOut)
    expect(error.problem?.code).toBe(1005)
    expect(ended.map((problem) => problem?.code)).toEqual([1005])
    expect(await held()).toBeUndefined()
    await expect(sessions.token(0)).rejects.toBeInstanceOf(SignedOut)
    expect(ended).toHaveLength(1)
  })

  it('ends the session of a person who was disabled: nothing of it may stay', async () => {
    const { sessions, ended } = await signedIn()
    server.refuseHttp = (path) => (path.endsWith('refresh') ? { status: 403, code: 6009, name: 'account_disabled' } : null)
    await expect(sessions.token(610_000)).rejects.toBeInstanceOf(SignedOut)
    server.refuseHttp = () => null
    expect(ended.map((problem) => problem?.code)).toEqual([6009])
    expect(await held()).toBeUndefined()
  })

  it('keeps the session when the server is busy or away, and repeats with the same key', async () => {
    const { sessions, ended } = await signedIn()
    server.refuseHttp = (path) => (path.endsWith('refresh') ? { status: 503, code: 8001, name: 'database_busy' } : null)
    await expect(sessions.token(610_000)).rejects.toBeInstanceOf(Problem)
    server.refuseHttp = () => null
    expect(await sessions.token(610_000)).toMatch(/^access-/)
    expect(ended).toEqual([])
    const keys = refreshes().map(({ key }) => key)
    expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(keys[1]).toBe(keys[0])
    await sessions.replace(await sessions.token(0))
    expect(refreshes()[2]!.key).not.toBe(keys[0])
  })

  it('repeats with the same key even after the page was closed', async () => {
    const { sessions } = await signedIn()
    server.cutHttp = (path) => path.endsWith('refresh')
    await expect(sessions.token(610_000)).rejects.toBeInstanceOf(Unreachable)
    server.cutHttp = () => false
    const later = tab()
    await later.sessions.restore()
    expect(await later.sessions.token(610_000)).toMatch(/^access-/)
    expect(later.ended).toEqual([])
    const [first, second] = refreshes()
    expect(second!.key).toBe(first!.key)
  })

  it('can be tried again after it failed', async () => {
    const { sessions } = await signedIn()
    server.cutHttp = (path) => path.endsWith('refresh')
    server.refuseHttp = () => ({ status: 503, code: 8001, name: 'database_busy' })
    await expect(sessions.token(610_000)).rejects.toBeInstanceOf(Unreachable)
    server.cutHttp = () => false
    server.refuseHttp = () => null
    expect(await sessions.token(610_000)).toMatch(/^access-/)
  })
})

describe('signing out', () => {
  it('forgets here and tells the server', async () => {
    const { sessions } = await signedIn()
    await sessions.signOut()
    expect(await held()).toBeUndefined()
    expect(server.calls.at(-1)).toMatchObject({ path: '/api/me/sign-out', token: expect.stringMatching(/^access-/) })
  })

  it('forgets even if the server is away', async () => {
    const { sessions } = await signedIn()
    await server.stop()
    await sessions.signOut()
    expect(await held()).toBeUndefined()
    server = await new TestServer().listen()
  })

  it('that is heard of late does not end the session of who sat down meanwhile', async () => {
    await signedIn()
    const frozen = tab()
    await frozen.sessions.restore()
    const next = { ...(await held()), user: 'next' }
    await sessionStore(database).save(next)
    await frozen.sessions.forget()
    expect(frozen.sessions.user).toBeNull()
    expect(await held()).toEqual(next)
  })

  it('in another tab ends it here', async () => {
    const first = await signedIn()
    const second = tab()
    await second.sessions.restore()
    await first.sessions.signOut()
    await expect(second.sessions.token(610_000)).rejects.toBeInstanceOf(SignedOut)
    expect(second.ended).toEqual([null])
  })

  it('is not undone by a refresh that was under way', async () => {
    const { sessions } = await signedIn()
    server.refreshDelay = 60
    const refresh = sessions.token(610_000)
    await until(() => refreshes().length)
    await sessions.signOut()
    await expect(refresh).rejects.toBeInstanceOf(SignedOut)
    expect(await held()).toBeUndefined()
  })
})

describe('the lease lock', () => {
  it('lets one in at a time, and all of them in the end', async () => {
    let inside = 0
    let most = 0
    const locks = Array.from({ length: 6 }, () => leaseLock(database, 5_000, 1))
    const results = await Promise.all(
      locks.map((lock, index) =>
        lock('x', async () => {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, 5))
          inside -= 1
          return index
        }),
      ),
    )
    expect(most).toBe(1)
    expect(results).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('is free again after a failure', async () => {
    const lock = leaseLock(database, 5_000, 1)
    await expect(lock('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await lock('x', async () => 1)).toBe(1)
  })

  it('is taken from a tab that died, when its lease is over', async () => {
    await (await database).put('leases', { name: 'x', holder: 'dead', until: Date.now() + 80 })
    const began = Date.now()
    await leaseLock(database, 5_000, 5)('x', async () => undefined)
    expect(Date.now() - began).toBeGreaterThanOrEqual(75)
  })

  it('does not hold up other names', async () => {
    const lock = leaseLock(database, 5_000, 1)
    await lock('x', () => lock('y', async () => undefined))
  })
})
