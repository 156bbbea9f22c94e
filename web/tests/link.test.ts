import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Link, type LinkOptions, type LinkState } from '../src/protocol/link'
import { Unreachable } from '../src/protocol/problem'
import { SignedOut } from '../src/protocol/session'
import type { Hello } from '../src/protocol/types'
import { TestServer } from './support/server'
import { until } from './support/until'

let server: TestServer
const links: Link[] = []

beforeEach(async () => {
  server = await new TestServer().listen()
})

afterEach(async () => {
  links.splice(0).forEach((link) => link.stop())
  await server.stop()
})

function start(options: LinkOptions = {}) {
  const seen = { states: [] as LinkState[], ups: [] as Hello[], delays: [] as number[], downs: 0, erased: 0, refused: [] as string[] }
  const tokens = {
    now: server.newSession()['access_token'] as string,
    failing: null as Error | null,
    async token() {
      if (this.failing !== null) throw this.failing
      return this.now
    },
    async replace(refused: string) {
      seen.refused.push(refused)
      if (this.failing !== null) throw this.failing
      if (this.now === refused) this.now = server.newSession()['access_token'] as string
      return this.now
    },
  }
  const link = new Link(
    server.url,
    tokens,
    {
      state: (state) => {
        seen.states.push(state)
        if (state.name === 'waiting') seen.delays.push(state.until - Date.now())
      },
      up: (hello) => seen.ups.push(hello),
      event: () => undefined,
      down: () => (seen.downs += 1),
      erase: () => (seen.erased += 1),
    },
    { random: () => 0, stable: 0, WebSocket: WebSocket as never, ...options },
  )
  links.push(link)
  link.start()
  return { link, seen, tokens, state: () => seen.states.at(-1)! }
}

describe('a link', () => {
  it('connects, and tells how it goes', async () => {
    const { seen } = start()
    await until(() => seen.ups.length)
    expect(seen.states.map(({ name }) => name)).toEqual(['connecting', 'open'])
  })

  it.each([4000, 4001, 4002, 4004, 1001, 1011])('comes back after %i', async (code) => {
    const { seen } = start()
    await until(() => seen.ups.length === 1)
    server.peer.ws.close(code)
    await until(() => seen.ups.length === 2)
    expect(seen.downs).toBe(1)
    expect(seen.states.find(({ name }) => name === 'waiting')).toMatchObject({ lost: code })
    expect(seen.refused).toEqual([])
  })

  it('brings another token after 4003', async () => {
    const { seen, tokens } = start()
    await until(() => seen.ups.length === 1)
    const old = tokens.now
    server.peer.ws.close(4003)
    await until(() => seen.ups.length === 2)
    expect(seen.refused).toEqual([old])
    expect(server.peer.token).not.toBe(old)
  })

  it('tries one other token after 4503', async () => {
    const { seen, tokens } = start()
    await until(() => seen.ups.length === 1)
    server.revoked.add(tokens.now)
    server.peer.ws.terminate()
    await until(() => seen.ups.length === 2)
    expect(seen.refused).toHaveLength(1)
  })

  it('stops when the other token is refused as well', async () => {
    const { seen, state } = start()
    server.accepts = () => false
    await until(() => state().name === 'stopped')
    expect(state()).toMatchObject({ lost: 4503 })
    expect(seen.refused).toHaveLength(1)
    expect(server.peers).toHaveLength(2)
  })

  it.each([4504, 4505])('erases after %i, and does not come back', async (code) => {
    const { seen, state } = start()
    await until(() => seen.ups.length)
    server.peer.ws.close(code)
    await until(() => seen.erased)
    expect(state().name).toBe('stopped')
    expect(server.peers).toHaveLength(1)
  })

  it.each([4500, 4501, 4506])('stops after %i without erasing', async (code) => {
    const { seen, state } = start()
    await until(() => seen.ups.length)
    server.peer.ws.close(code)
    await until(() => state().name === 'stopped')
    expect(seen.erased).toBe(0)
  })

  it('backs off while the server is away, and finds it again', async () => {
    const { seen, state } = start({ random: () => 0 })
    await until(() => seen.ups.length)
    const port = Number(new URL(server.base).port)
    await server.stop()
    await until(() => state().name === 'waiting')
    const again = await new TestServer().listen(port)
    again.accepts = () => true
    server = again
    await until(() => seen.ups.length === 2, 8_000)
  })

  it('does not hammer a server that drops it right after hello', async () => {
    const { seen } = start({ stable: 10_000 })
    for (let round = 1; round <= 3; round++) {
      await until(() => seen.ups.length === round)
      server.peer.ws.close(4001)
      await until(() => seen.delays.length === round)
    }
    expect(seen.delays.map((delay) => Math.round(delay / 100))).toEqual([0, 5, 10])
  })

  it('waits when no token can be had, and stays silent when signed out', async () => {
    const first = start()
    await until(() => first.seen.ups.length)
    first.tokens.failing = new Unreachable('no network')
    server.peer.ws.terminate()
    await until(() => first.seen.states.filter(({ name }) => name === 'waiting').length >= 2)
    first.tokens.failing = new SignedOut()
    first.link.poke()
    await until(() => first.state().name === 'connecting')
    expect(server.peers).toHaveLength(1)
  })

  it('dials at once when it is poked', async () => {
    const { link, seen, state } = start({ random: () => 1, stable: 60_000 })
    await until(() => seen.ups.length === 1)
    server.peer.ws.terminate()
    await until(() => state().name === 'waiting')
    const began = Date.now()
    link.poke()
    await until(() => seen.ups.length === 2)
    expect(Date.now() - began).toBeLessThan(900)
  })

  it('finds a half-open connection when it is poked', async () => {
    const { link, seen } = start({ times: { connect: 2_000, quiet: 60_000, pong: 60, answer: 60_000 } })
    await until(() => seen.ups.length === 1)
    server.peer.freeze()
    link.poke()
    await until(() => seen.ups.length === 2)
  })

  it('renews before the session expires, and again', async () => {
    server.lifetime = 2_500
    const { seen } = start({ renewBefore: 1_500 })
    await until(() => seen.ups.length)
    await until(() => server.peer.received.filter(({ op }) => op === 'renew').length >= 2, 6_000)
    expect(seen.downs).toBe(0)
    expect(server.peers).toHaveLength(1)
  })

  it('renews by the clock of the server, a day ahead of ours', async () => {
    server.lifetime = 2_500
    server.clockAhead = 86_400_000
    const { seen } = start({ renewBefore: 1_500 })
    await until(() => seen.ups.length)
    await until(() => server.peer.received.filter(({ op }) => op === 'renew').length >= 2, 6_000)
    expect(seen.downs).toBe(0)
  })

  it('tries to renew again after a failure', async () => {
    server.lifetime = 2_500
    const { seen, tokens } = start({ renewBefore: 1_500, renewAgain: 20 })
    await until(() => seen.ups.length)
    let failed = 0
    server.refuse = ({ op }) => (op === 'renew' && failed++ < 2 ? { code: 8001, name: 'database_busy' } : null)
    await until(() => server.peer.received.filter(({ op }) => op === 'renew').length >= 3, 6_000)
    expect(tokens.failing).toBeNull()
  })

  it('is quiet after stop, whatever was under way', async () => {
    const { link, seen, state } = start()
    link.stop()
    await until(() => server.peers.length === 0)
    expect(state().name).toBe('off')
    link.start()
    await until(() => seen.ups.length === 1)
    link.stop()
    await until(() => server.peer.ws.readyState === 3)
    expect(server.peers).toHaveLength(1)
    expect(seen.states.at(-1)!.name).toBe('off')
  })
})
