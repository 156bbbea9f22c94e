import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Problem, Unreachable } from '../src/protocol/problem'
import { Socket, type SocketTimes } from '../src/protocol/socket'
import type { Hello, MeEvent, RoomEvent } from '../src/protocol/types'
import { TestServer } from './support/server'
import { until } from './support/until'

let server: TestServer
const open: Socket[] = []

beforeEach(async () => {
  server = await new TestServer().listen()
})

afterEach(async () => {
  open.splice(0).forEach((socket) => socket.close())
  await server.stop()
})

function connect(times: Partial<SocketTimes> = {}, token = server.newSession()['access_token'] as string) {
  const seen = {
    hello: null as Hello | null,
    events: [] as (RoomEvent | MeEvent)[],
    closed: [] as { code: number; problem: Problem | null }[],
  }
  const socket = new Socket(
    server.url,
    token,
    {
      hello: (frame) => (seen.hello = frame),
      event: (frame) => seen.events.push(frame),
      closed: (code, problem) => seen.closed.push({ code, problem }),
    },
    { connect: 2_000, quiet: 60_000, pong: 60_000, answer: 60_000, ...times },
    WebSocket as never,
  )
  open.push(socket)
  return { socket, seen }
}

describe('a connection', () => {
  it('asks for the MessagePack subprotocol and authenticates with its first frame', async () => {
    const { seen } = connect()
    await until(() => seen.hello)
    expect(server.peer.ws.protocol).toBe('renraku.v1.msgpack')
    expect(server.peer.received[0]).toMatchObject({ op: 'auth', ref: 1 })
    expect(seen.hello).toMatchObject({ protocol: 1, epoch: 'epoch-1' })
  })

  it('never puts the token into the address', async () => {
    const { seen } = connect()
    await until(() => seen.hello)
    expect(server.peer.ws.url ?? '').not.toContain('access-')
    expect(server.url).not.toContain('?')
  })

  it('reports the close code of a refused token', async () => {
    const { seen } = connect({}, 'forged')
    await until(() => seen.closed.length)
    expect(seen.closed).toEqual([{ code: 4503, problem: null }])
    expect(seen.hello).toBeNull()
  })

  it('hands over the error that the server named before it closed', async () => {
    server.refuse = () => ({ code: 1008, name: 'origin_refused' })
    const { seen } = connect()
    await until(() => server.peers[0])
    await until(() => server.peer.received.length)
    server.peer.ws.close(4502)
    await until(() => seen.closed.length)
    expect(seen.closed[0]!.problem?.code).toBe(1008)
  })

  it('matches answers by ref, in any order', async () => {
    const { socket, seen } = connect()
    await until(() => seen.hello)
    server.deaf = true
    const first = socket.request({ op: 'pull', room: 'a', after: 1 })
    const second = socket.request({ op: 'pull', room: 'b', after: 2 })
    const [one, two] = await until(() => {
      const pulls = server.peer.received.filter(({ op }) => op === 'pull')
      return pulls.length === 2 ? pulls : null
    })
    const page = { op: 'page', events: [], live: true }
    server.peer.send({ ...page, ref: two!['ref'], head: 2 })
    server.peer.send({ ...page, ref: one!['ref'], head: 1 })
    expect([(await first).head, (await second).head]).toEqual([1, 2])
  })

  it('rejects with the numbered error', async () => {
    const { socket, seen } = connect()
    await until(() => seen.hello)
    server.refuse = () => ({ code: 8001, name: 'database_busy', params: { retry_after: 3 } })
    const error = (await socket.request({ op: 'read', room: 'a', upto: 1 }).catch((reason) => reason)) as Problem
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject({ code: 8001, passes: true, retryAfter: 3000, ja: '8001の説明' })
    expect(seen.closed).toEqual([])
  })

  it('ignores operations, event kinds and answers it does not know', async () => {
    const { socket, seen } = connect()
    await until(() => seen.hello)
    server.peer.send({ op: 'a-later-operation', ref: 2 })
    server.peer.send({ op: 'result', ref: 999 })
    server.peer.send({ op: 'event', room: 'a', seq: 1, at: 0, kind: 'a-later-kind' })
    await socket.request({ op: 'ping' })
    expect(seen.events).toHaveLength(1)
    expect(seen.closed).toEqual([])
  })

  it('keeps at most 60 commands unanswered, and sends the rest in order', async () => {
    const { socket, seen } = connect()
    await until(() => seen.hello)
    server.deaf = true
    const answers = Array.from({ length: 100 }, (_, after) => socket.request({ op: 'pull', after }))
    const pulls = () => server.peer.received.filter(({ op }) => op === 'pull')
    await until(() => pulls().length === 60)
    // Were more on their way, they would come before the answer to this.
    server.peer.send({ op: 'page', ref: pulls()[0]!['ref'], events: [], head: 0, live: true })
    await until(() => pulls().length === 61)
    for (let index = 1; index < 100; index++) {
      const pull = await until(() => pulls()[index])
      server.peer.send({ op: 'page', ref: pull['ref'], events: [], head: pull['after'], live: true })
    }
    const heads = (await Promise.all(answers)).map(({ head }) => head)
    expect(heads).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  it('rejects what is unanswered when it is lost, and everything after', async () => {
    const { socket, seen } = connect()
    await until(() => seen.hello)
    server.deaf = true
    const answer = socket.request({ op: 'ping' })
    await until(() => server.peer.received.some(({ op }) => op === 'ping'))
    server.peer.ws.terminate()
    await expect(answer).rejects.toBeInstanceOf(Unreachable)
    await until(() => seen.closed.length)
    await expect(socket.request({ op: 'ping' })).rejects.toBeInstanceOf(Unreachable)
    expect(seen.closed).toHaveLength(1)
  })

  it('ends on bytes that are no frame', async () => {
    const { seen } = connect()
    await until(() => seen.hello)
    server.peer.ws.send(Buffer.from([0xc1]))
    await until(() => seen.closed.length)
    expect(seen.closed[0]!.code).toBe(1006)
  })

  it('gives up dialling a server that accepts and says nothing', async () => {
    server.deaf = true
    const { seen } = connect({ connect: 60 })
    await until(() => seen.closed.length)
    expect(seen.closed[0]!.code).toBe(1006)
  })
})

describe('heartbeat', () => {
  it('asks after silence, and goes on when it is answered', async () => {
    const { seen } = connect({ quiet: 30, pong: 500 })
    await until(() => seen.hello)
    await until(() => server.peer.received.filter(({ op }) => op === 'ping').length >= 3)
    expect(seen.closed).toEqual([])
  })

  it('does not ask while frames come', async () => {
    server.rooms.set('a', [])
    const { socket, seen } = connect({ quiet: 400 })
    await until(() => seen.hello)
    await socket.request({ op: 'resume', epoch: null, me: 0, rooms: {} })
    const began = Date.now()
    while (Date.now() - began < 600) {
      server.commit('a', { kind: 'stub' })
      const count = server.rooms.get('a')!.length
      await until(() => seen.events.length === count)
    }
    expect(server.peer.received.some(({ op }) => op === 'ping')).toBe(false)
  })

  it('finds a half-open connection', async () => {
    const { seen } = connect({ quiet: 30, pong: 60 })
    await until(() => seen.hello)
    server.peer.freeze()
    await until(() => seen.closed.length, 1_000)
    expect(seen.closed[0]!.code).toBe(1006)
  })

  it('finds it at once when the page wakes up', async () => {
    const { socket, seen } = connect({ pong: 60 })
    await until(() => seen.hello)
    server.peer.freeze()
    socket.probe()
    await until(() => seen.closed.length, 1_000)
  })

  it('takes an event for an answer', async () => {
    server.rooms.set('a', [])
    const { socket, seen } = connect({ pong: 150 })
    await until(() => seen.hello)
    await socket.request({ op: 'resume', epoch: null, me: 0, rooms: {} })
    server.deaf = true
    socket.probe()
    await until(() => server.peer.received.some(({ op }) => op === 'ping'))
    server.commit('a', { kind: 'stub' })
    await until(() => seen.events.length)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(seen.closed).toEqual([])
  })

  it('does not trust a connection that leaves a command unanswered', async () => {
    const { socket, seen } = connect({ answer: 60 })
    await until(() => seen.hello)
    server.loseAnswer = () => true
    await expect(socket.request({ op: 'read', room: 'a', upto: 1 })).rejects.toBeInstanceOf(Unreachable)
    expect(seen.closed[0]!.code).toBe(1006)
  })
})
