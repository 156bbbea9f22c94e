import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Api } from '../src/protocol/api'
import { call } from '../src/protocol/http'
import { newKey } from '../src/protocol/ids'
import { Problem, Unintelligible, Unreachable } from '../src/protocol/problem'
import { TestServer } from './support/server'

let server: TestServer

beforeEach(async () => {
  server = await new TestServer().listen()
})

afterEach(() => server.stop())

const reply = (body: string, status = 200, headers = {}) => async () => new Response(body, { status, headers })

describe('a call', () => {
  it('carries the token in the header alone', async () => {
    const token = server.newSession()['access_token'] as string
    await call(server.base, '/api/me', { token })
    expect(server.calls).toEqual([{ path: '/api/me', key: undefined, token }])
  })

  it('gives the clock of the server', async () => {
    const token = server.newSession()['access_token'] as string
    server.clockAhead = 5_000_000
    const { time } = await call(server.base, '/api/me', { token })
    expect(Math.abs(time! - Date.now() - 5_000_000)).toBeLessThan(2_000)
  })

  it.each([
    ['a numbered error', reply('{"error":{"code":3001,"name":"room_not_found","field":null,"params":{},"ja":"あ","en":"a"}}', 404), Problem],
    ["a gateway's page for a server that is down", reply('<h1>Bad gateway</h1>', 502), Unreachable],
    ["somebody else's error", reply('{"detail":"?"}', 400), Unintelligible],
    ['a page where JSON should be', reply('<html>', 200), Unintelligible],
    ['no network', () => Promise.reject(new TypeError('Failed to fetch')), Unreachable],
  ])('meets %s', async (_, fetcher, kind) => {
    await expect(call('', '/x', {}, fetcher as never)).rejects.toBeInstanceOf(kind)
  })

  it('gives up after its time', async () => {
    const never = (_: string, init: RequestInit) =>
      new Promise((_resolve, reject) => init.signal!.addEventListener('abort', () => reject(init.signal!.reason)))
    await expect(call('', '/x', { timeout: 20 }, never as never)).rejects.toBeInstanceOf(Unreachable)
  })

  it('takes an answer without a body', async () => {
    expect((await call('', '/x', {}, (async () => new Response(null, { status: 204 })) as never)).body).toBeNull()
  })
})

describe('the API of a person', () => {
  function person() {
    const state = { now: server.newSession()['access_token'] as string, replaced: 0 }
    const api = new Api(server.base, {
      ready: () => null,
      token: async () => state.now,
      replace: async () => {
        state.replaced += 1
        return (state.now = server.newSession()['access_token'] as string)
      },
    })
    return { api, state }
  }

  it('asks before anything else is done where a token is at hand, and waits for one where none is', async () => {
    const asked: string[] = []
    const fetcher = async (_: unknown, init?: RequestInit) => {
      asked.push(new Headers(init?.headers).get('authorization') ?? '')
      return new Response('{}')
    }
    let ready: string | null = 'held'
    const tokens = { ready: () => ready, token: async () => 'brought', replace: async () => 'other' }
    const api = new Api('', tokens, fetcher)
    const first = api.me()
    expect(asked).toEqual(['Bearer held'])
    ready = null
    const second = api.me()
    expect(asked).toHaveLength(1)
    await Promise.all([first, second])
    expect(asked).toEqual(['Bearer held', 'Bearer brought'])
  })

  it('brings another token once when one is refused', async () => {
    const { api, state } = person()
    server.revoked.add(state.now)
    await api.me()
    expect(state.replaced).toBe(1)
    expect(server.calls).toHaveLength(2)
  })

  it('does not do so for ever', async () => {
    const { api, state } = person()
    server.accepts = () => false
    await expect(api.me()).rejects.toBeInstanceOf(Problem)
    expect(state.replaced).toBe(1)
  })

  it('keeps the idempotency key when it repeats an unsafe call', async () => {
    const { api, state } = person()
    server.revoked.add(state.now)
    await api.addresses(['a']).catch(() => undefined)
    const keys = server.calls.map(({ key }) => key)
    expect(keys).toHaveLength(2)
    expect(keys[0]).toBe(keys[1])
    expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it('puts ids into the path as one segment', async () => {
    const { api } = person()
    await api.room('../me?x=1').catch(() => undefined)
    expect(server.calls[0]!.path).toBe('/api/rooms/..%2Fme%3Fx%3D1')
  })
})

describe('keys', () => {
  it('fit the protocol and do not repeat', () => {
    const keys = Array.from({ length: 5_000 }, newKey)
    expect(new Set(keys).size).toBe(5_000)
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })
})
