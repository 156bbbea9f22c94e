import { describe, expect, it, vi } from 'vitest'
import { Api } from '../src/protocol/api'
import { notificationsApi } from '../src/protocol/notificationsApi'
import type { Room } from '../src/protocol/types'

vi.hoisted(() => {
  vi.stubGlobal('document', { documentElement: {} })
  vi.stubGlobal('location', { hash: '', pathname: '/', origin: 'https://chat.example' })
  vi.stubGlobal('history', { state: null })
  vi.stubGlobal('addEventListener', () => undefined)
})
const { namedMessage, ownRules, ringsOf } = await import('../src/state/ringing')
const { messageLink } = await import('../src/state/route.svelte')

const ROOM = '06ed0000000000000000000001'
const MESSAGE = '06ed0000000000000000000031'

describe('the message that somebody pasted', () => {
  it('is known by the link that the page copies, wherever the page lies', () => {
    expect(namedMessage(messageLink(ROOM, 4712))).toEqual({ room: ROOM, seq: 4712 })
    expect(namedMessage(`  https://city.example/chat/#/rooms/${ROOM}?message=7\n`)).toEqual({ room: ROOM, seq: 7 })
  })
  it('is known by its id', () => {
    expect(namedMessage(` ${MESSAGE} `)).toEqual({ message: MESSAGE })
  })
  it.each([
    '', 'https://city.example/', `https://city.example/#/rooms/${ROOM}`, `#/rooms/${ROOM}?message=0`, '#/rooms/../x?message=1',
    '#/settings?message=3', MESSAGE.slice(1), MESSAGE.toUpperCase().replace('0', 'Z'),
  ])('is not known by %j', (pasted) => {
    expect(namedMessage(pasted)).toBeNull()
  })
})

describe('what rings of a room', () => {
  it.each([
    ['everything', null, 'mentions_and_direct', null],
    ['mentions', null, 'all', 'mentions'],
    ['mentions', null, 'none', 'none'],
    ['nothing', null, 'all', 'none'],
    ['nothing', 'all', 'none', 'all'],
    ['everything', 'none', 'all', 'none'],
  ] as const)('set to %s, told %s, usually %s: %s', (involvement, told, push, rings) => {
    expect(ringsOf(involvement, told, push)).toBe(rings)
  })
  it('is listed where it differs from the usual', () => {
    const rooms = [
      { id: 'a', name: 'A', involvement: 'everything' },
      { id: 'b', name: 'B', involvement: 'nothing' },
      { id: 'c', name: 'C', involvement: 'everything' },
    ] as Room[]
    const told = [{ room: 'c', level: 'mentions' as const }, { room: 'gone', level: 'none' as const }]
    expect(ownRules(rooms, told, 'all')).toEqual([
      { id: 'b', name: 'B', level: 'none' },
      { id: 'c', name: 'C', level: 'mentions' },
    ])
  })
})

it('asks by what was pasted, and sends no more than was set', async () => {
  const asked: string[] = []
  const api = new Api('http://server', { ready: () => 't', token: async () => 't', replace: async () => 't' }, async (path, options) => {
    asked.push(`${options?.method ?? 'GET'} ${String(path).replace('http://server', '')} ${options?.body ?? ''}`.trim())
    return new Response('{}')
  })
  const calls = notificationsApi(api)
  await calls.why('u1', { room: ROOM, seq: 7 })
  await calls.why('u1', { message: MESSAGE })
  const kept = { push: 'all' as const, duty: 'on' as const, quiet: null, time_zone: 'Asia/Tokyo', rooms: [] }
  await calls.change(kept)
  await calls.room(ROOM, null)
  expect(asked).toEqual([
    `GET /api/organization/push/why?user=u1&room=${ROOM}&seq=7`,
    `GET /api/organization/push/why?user=u1&message=${MESSAGE}`,
    'PUT /api/me/notifications {"push":"all","duty":"on","quiet":null,"time_zone":"Asia/Tokyo"}',
    `PUT /api/rooms/${ROOM}/notifications {"level":null}`,
  ])
})
