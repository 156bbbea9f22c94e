import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Api } from '../src/protocol/api'
import { Problem, Unreachable } from '../src/protocol/problem'
import type { Message, MessagePage, Room, RoomEvent } from '../src/protocol/types'
import { Addresses } from '../src/state/addresses.svelte'
import { Markers } from '../src/state/markers'
import { Rooms } from '../src/state/rooms.svelte'
import { MOST_ASIDE, MOST_AT_END, Timeline } from '../src/state/timeline.svelte'

const author = { id: 'u1', name: '高橋 健', department: '道路課', post: '主事', kind: 'member' }
const message = (seq: number, extra: Partial<Message> = {}): Message => ({
  id: `m${seq}`,
  seq,
  ordinal: seq,
  at: seq,
  kind: 'text',
  version: 1,
  author,
  text: `text ${seq}`,
  ...extra,
})
const room = (id: string, extra: Partial<Room> = {}): Room => ({
  id,
  kind: 'private',
  name: id,
  topic: '',
  history: 'all',
  archived: false,
  members: 2,
  outsiders: [],
  role: 'member',
  involvement: 'everything',
  head: 10,
  first: 1,
  read: 10,
  unread: 0,
  mentioned: false,
  last: { at: 10, author: '高橋 健', text: 'x' },
  can: { post: true, invite: false, manage: false },
  home: 'みどり野市',
  ...extra,
})
const gone = () => new Problem({ code: 3001, name: 'room_not_found', field: null, params: {}, ja: '', en: '' })

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { visibilityState: 'visible' })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the room list', () => {
  function list(...rooms: Room[]) {
    const server = new Map(rooms.map((one) => [one.id, one]))
    const asked: string[] = []
    const state = { failing: false, listed: 0 }
    const api = {
      rooms: async () => {
        asked.push('*')
        if (state.failing) throw new Unreachable('x')
        return [...server.values()]
      },
      room: async (id: string) => {
        asked.push(id)
        if (state.failing) throw new Unreachable('x')
        const found = server.get(id)
        if (found === undefined) throw gone()
        return found
      },
    } as unknown as Api
    const held = new Rooms(api, () => (state.listed += 1), () => 0)
    return { held, server, asked, state }
  }

  async function loaded(...rooms: Room[]) {
    const all = list(...rooms)
    all.held.reload()
    await vi.advanceTimersByTimeAsync(0)
    all.asked.length = 0
    // A quiet while.
    await vi.advanceTimersByTimeAsync(60_000)
    return all
  }

  it('asks once for many events of one room, and takes the count of the server', async () => {
    const { held, server, asked } = await loaded(room('a'))
    server.set('a', room('a', { unread: 3, mentioned: true, head: 13 }))
    for (let seq = 11; seq <= 13; seq++) {
      held.moved('a', seq)
      held.mark('a')
    }
    expect(held.get('a')!.unread).toBe(0)
    await vi.advanceTimersByTimeAsync(600)
    expect(asked).toEqual(['a'])
    expect(held.get('a')).toMatchObject({ unread: 3, mentioned: true })
  })

  it('asks ever more rarely while a room goes on and on', async () => {
    const { held, asked } = await loaded(room('a', { head: 10_000 }))
    for (let second = 0; second < 120; second++) {
      held.mark('a')
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(asked.length).toBeGreaterThan(4)
    expect(asked.length).toBeLessThan(15)
    await vi.advanceTimersByTimeAsync(60_000)
    asked.length = 0
    held.mark('a')
    await vi.advanceTimersByTimeAsync(600)
    expect(asked).toEqual(['a'])
  })

  it('asks rarely while nobody looks', async () => {
    vi.stubGlobal('document', { visibilityState: 'hidden' })
    const { held, asked } = await loaded(room('a'))
    held.mark('a')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toEqual([])
    held.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(['a'])
  })

  it('asks for the whole list when many rooms moved', async () => {
    const { held, asked } = await loaded(...'abcde'.split('').map((id) => room(id)))
    for (const id of 'abcd') held.mark(id)
    await vi.advanceTimersByTimeAsync(600)
    expect(asked).toEqual(['*'])
  })

  it('asks again when the answer is older than an event it has seen', async () => {
    const { held, server, asked } = await loaded(room('a'))
    held.moved('a', 12)
    held.mark('a')
    server.set('a', room('a', { head: 11, unread: 1 }))
    await vi.advanceTimersByTimeAsync(600)
    server.set('a', room('a', { head: 12, unread: 2 }))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toEqual(['a', 'a'])
    expect(held.get('a')!.unread).toBe(2)
  })

  it('keeps what it could not ask for until the network is back', async () => {
    const { held, server, state } = await loaded(room('a'))
    state.failing = true
    held.mark('a')
    await vi.advanceTimersByTimeAsync(600)
    state.failing = false
    server.set('a', room('a', { unread: 5 }))
    held.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(held.get('a')!.unread).toBe(5)
  })

  it('keeps trying the first list, too', async () => {
    const { held, state } = list(room('a'))
    state.failing = true
    held.reload()
    await vi.advanceTimersByTimeAsync(0)
    expect(held.loaded).toBe(false)
    state.failing = false
    held.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(held.loaded).toBe(true)
    expect(state.listed).toBe(1)
  })

  it('drops a room that is no longer there for this person', async () => {
    const { held, server } = await loaded(room('a'))
    server.delete('a')
    held.mark('a')
    await vi.advanceTimersByTimeAsync(600)
    expect(held.get('a')).toBeUndefined()
  })

  it('takes a room that one was invited to', async () => {
    const { held, server } = await loaded(room('a'))
    server.set('b', room('b'))
    held.mark('b')
    await vi.advanceTimersByTimeAsync(600)
    expect(held.get('b')?.id).toBe('b')
  })

  it('needs no question when everything was read', async () => {
    const { held, asked } = await loaded(room('a', { read: 5, unread: 5, mentioned: true }))
    held.mark('a')
    held.read('a', 10, true)
    expect(held.get('a')).toMatchObject({ read: 10, unread: 0, mentioned: false })
    await vi.advanceTimersByTimeAsync(600)
    expect(asked).toEqual([])
  })

  it('asks when something was read, and never counts itself', async () => {
    const { held, asked } = await loaded(room('a', { read: 5, unread: 5 }))
    held.read('a', 8, false)
    expect(held.get('a')).toMatchObject({ read: 8, unread: 5 })
    held.read('a', 6, false)
    expect(held.get('a')!.read).toBe(8)
    await vi.advanceTimersByTimeAsync(600)
    expect(asked).toEqual(['a'])
  })

  it('asks, after a resume, for the rooms that moved meanwhile', async () => {
    const { held, asked } = await loaded(room('a'), room('b'))
    held.heads({ a: { head: 10 }, b: { head: 12 }, c: { head: 1 } })
    await vi.advanceTimersByTimeAsync(600)
    expect(asked.sort()).toEqual(['b', 'c'])
  })

  it('groups, newest first', async () => {
    const { held } = await loaded(
      room('old', { last: { at: 1, author: '', text: '' } }),
      room('empty', { last: null }),
      room('news', { kind: 'announcement' }),
      room('memo', { kind: 'memo' }),
      room('person', { kind: 'direct', last: { at: 99, author: '', text: '' } }),
    )
    expect(held.groups.map(({ name, rooms }) => [name, rooms.map(({ id }) => id)])).toEqual([
      ['memo', ['memo']],
      ['announcements', ['news']],
      ['rooms', ['person', 'old', 'empty']],
    ])
  })

  it('names a direct room after the other person, whatever an event says', async () => {
    const { held } = await loaded(room('d', { kind: 'direct', name: '田中 美咲' }), room('a'))
    const info = { kind: 'private', topic: 't', history: 'all', archived: false }
    held.described({ ...info, id: 'd', name: '' })
    held.described({ ...info, id: 'a', name: 'new' })
    expect([held.get('d')!.name, held.get('a')!.name]).toEqual(['田中 美咲', 'new'])
  })
})

describe('a timeline', () => {
  function timeline(pages: (before: number | undefined) => Promise<MessagePage> | MessagePage) {
    const heads: number[] = []
    const limits: number[] = []
    const api = {
      messages: async (_: string, limit: number, before?: number) => {
        limits.push(limit)
        return pages(before)
      },
      message: async (id: string) => ({ room: 'a', message: message(1, { id, version: 2, text: 'fetched' }) }),
    } as unknown as Api
    return { held: new Timeline('a', api, (head) => heads.push(head)), heads, limits, api }
  }
  const event = (body: object) => ({ op: 'event', room: 'a', seq: 99, at: 77, ...body }) as RoomEvent

  it('loads enough to hold all that is unread', async () => {
    const { held, limits } = timeline(() => ({ messages: [message(1)], first: true, head: 1 }))
    await held.load(0)
    await held.load(60)
    await held.load(100)
    expect(limits).toEqual([50, 80, 120])
  })

  /** One that holds the newest messages of a room with many, and hears of `count` more. */
  async function busy(count: number, open: boolean) {
    const page = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => message(first + at))
    const { held, api } = timeline(() => ({ messages: page(951, 1000), first: false, head: 1000 }))
    await held.load(0)
    if (!open) held.leave()
    for (let seq = 1001; seq <= 1000 + count; seq++) held.apply(event({ kind: 'message', seq, message: message(seq) }))
    return { held, api }
  }

  it('holds less of a room that nobody looks at, and never less than a screen and the unread ones need', async () => {
    const [{ held: open }, { held: aside }] = [await busy(2000, true), await busy(2000, false)]
    expect([open, aside].map(({ messages }) => messages.at(-1)!.seq)).toEqual([3000, 3000])
    expect(open.messages.length).toBeGreaterThanOrEqual(400)
    expect(open.messages.length).toBeLessThanOrEqual(MOST_AT_END)
    expect(aside.messages.length).toBeGreaterThanOrEqual(120)
    expect(aside.messages.length).toBeLessThanOrEqual(MOST_ASIDE)
    expect([open.complete, aside.complete]).toEqual([false, false])
  })

  it('asks for the first unread message where that was let go meanwhile', async () => {
    const asked: number[] = []
    const { held, api } = await busy(2000, false)
    Object.assign(api, {
      messagesAround: async (_: string, __: number, seq: number) => {
        asked.push(seq)
        return { messages: [message(seq - 1), message(seq)], first: false, head: 3000 }
      },
    })
    held.comeBack(1000)
    await vi.waitFor(() => expect(held.messages.map(({ seq }) => seq)).toEqual([1000, 1001]))
    expect([asked, held.latest, held.newest!.seq]).toEqual([[1001], false, 3000])
    held.leave()
    held.toNewest()
    held.comeBack(2990)
    expect([asked, held.latest]).toEqual([[1001], true])
  })

  it('says where it stands, so that the stream goes on from there', async () => {
    const { held, heads } = timeline(() => ({ messages: [message(3)], first: false, head: 7 }))
    await held.load(0)
    expect(heads).toEqual([7])
    expect([held.status, held.complete, held.generation]).toEqual(['ready', false, 1])
  })

  it('fails in words and can be loaded again', async () => {
    let broken = true
    const { held } = timeline(() => {
      if (broken) throw new Unreachable('x')
      return { messages: [], first: true, head: 0 }
    })
    await expect(held.load(0)).rejects.toThrow()
    expect(held.status).toBe('failed')
    broken = false
    await held.load(0)
    expect(held.status).toBe('ready')
  })

  it('keeps what it has while it is loaded anew in vain', async () => {
    let broken = false
    const { held } = timeline(() => {
      if (broken) throw new Unreachable('x')
      return { messages: [message(1)], first: true, head: 1 }
    })
    await held.load(0)
    broken = true
    await expect(held.load(0)).rejects.toThrow()
    expect([held.status, held.messages.length]).toEqual(['ready', 1])
  })

  it('does not show content that was redacted while the older page was on its way', async () => {
    let release = (_: MessagePage) => {}
    const { held } = timeline((before) =>
      before === undefined
        ? { messages: [message(10)], first: false, head: 10 }
        : new Promise<MessagePage>((resolve) => (release = resolve)),
    )
    await held.load(0)
    const older = held.loadOlder()
    expect(held.older).toBe('loading')
    held.apply(event({ kind: 'redaction', target: 5, id: 'm5', how: 'redacted' }))
    held.apply(event({ kind: 'message', message: message(11) }))
    release({ messages: [message(4), message(5)], first: true, head: 10 })
    await older
    expect(held.messages.map(({ seq, redacted }) => [seq, redacted])).toEqual([
      [4, undefined],
      [5, 77],
      [10, undefined],
      [11, undefined],
    ])
    expect([held.older, held.complete]).toEqual(['idle', true])
  })

  it('forgets an older page that arrives after everything was loaded anew', async () => {
    let release = (_: MessagePage) => {}
    let newest = 10
    const { held } = timeline((before) =>
      before === undefined
        ? { messages: [message(newest)], first: false, head: newest }
        : new Promise<MessagePage>((resolve) => (release = resolve)),
    )
    await held.load(0)
    const older = held.loadOlder()
    newest = 5000
    await held.load(0)
    release({ messages: [message(9)], first: false, head: 10 })
    await older
    expect(held.messages.map(({ seq }) => seq)).toEqual([5000])
  })

  it('asks for one older page at a time, and for none beyond the first', async () => {
    const asked: (number | undefined)[] = []
    const { held } = timeline((before) => {
      asked.push(before)
      return before === undefined
        ? { messages: [message(10)], first: false, head: 10 }
        : { messages: [message(9)], first: true, head: 10 }
    })
    await held.load(0)
    await Promise.all([held.loadOlder(), held.loadOlder()])
    await held.loadOlder()
    expect(asked).toEqual([undefined, 10])
  })

  it('fetches a message whose reactions cannot be known from an event', async () => {
    const many = message(1, { reactions: [{ key: 'k', count: 80, users: ['a'] }] })
    const { held } = timeline(() => ({ messages: [many], first: true, head: 1 }))
    await held.load(0)
    held.apply(event({ kind: 'reaction', target: 1, id: 'm1', user: 'z', key: 'k', on: true }))
    await vi.waitFor(() => expect(held.messages[0]!.text).toBe('fetched'))
  })
})

describe('read markers', () => {
  it('are told once for a stretch of reading', async () => {
    const sent: [string, number][] = []
    const markers = new Markers(async (...marker) => void sent.push(marker))
    for (let seq = 1; seq <= 9; seq++) markers.seen('a', seq)
    markers.seen('b', 4)
    await vi.advanceTimersByTimeAsync(500)
    expect(sent).toEqual([
      ['a', 9],
      ['b', 4],
    ])
    markers.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(sent).toHaveLength(2)
  })

  it('never go back', async () => {
    const sent: number[] = []
    const markers = new Markers(async (_, upto) => void sent.push(upto))
    markers.seen('a', 9)
    markers.seen('a', 3)
    await vi.advanceTimersByTimeAsync(500)
    expect(sent).toEqual([9])
  })

  it('are kept until the server has them', async () => {
    const sent: number[] = []
    let connected = false
    const markers = new Markers(async (_, upto) => {
      sent.push(upto)
      if (!connected) throw new Unreachable('x')
    })
    markers.seen('a', 9)
    await vi.advanceTimersByTimeAsync(500)
    connected = true
    markers.wake()
    await vi.advanceTimersByTimeAsync(0)
    markers.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(sent).toEqual([9, 9])
  })
})

describe('addresses of photos', () => {
  function addresses(lifetime = 600_000) {
    const asked: string[][] = []
    const state = { failing: false, ahead: 0 }
    const api = {
      addresses: async (ids: string[]) => {
        asked.push(ids)
        if (state.failing) throw new Unreachable('x')
        const time = Date.now() + state.ahead
        const value = ids.filter((id) => id !== 'lost').map((id) => ({ id, name: '', expires: time + lifetime }))
        return { value, time }
      },
    } as unknown as Api
    return { held: new Addresses(api), asked, state }
  }

  it('are asked for together, a hundred at a time', async () => {
    const { held, asked } = addresses()
    for (let index = 0; index < 230; index++) held.want([`p${index}`])
    await vi.advanceTimersByTimeAsync(100)
    expect(asked.map(({ length }) => length)).toEqual([100, 100, 30])
    held.want(['p0', 'p229'])
    await vi.advanceTimersByTimeAsync(100)
    expect(asked).toHaveLength(3)
  })

  it('are asked for again shortly before they die, by the clock of the server', async () => {
    const { held, asked, state } = addresses(600_000)
    state.ahead = 86_400_000
    held.want(['p'])
    await vi.advanceTimersByTimeAsync(500_000)
    held.want(['p'])
    await vi.advanceTimersByTimeAsync(50)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(50_000)
    held.want(['p'])
    await vi.advanceTimersByTimeAsync(50)
    expect(asked).toHaveLength(2)
  })

  it('that failed are asked for again when the network is back', async () => {
    const { held, asked, state } = addresses()
    state.failing = true
    held.want(['p'])
    await vi.advanceTimersByTimeAsync(50)
    expect(held.get('p')).toEqual({ state: 'failed' })
    state.failing = false
    held.wake()
    await vi.advanceTimersByTimeAsync(50)
    expect(held.get('p')?.state).toBe('known')
    expect(asked).toHaveLength(2)
  })

  it('that the server does not give are failed, not waited for', async () => {
    const { held } = addresses()
    held.want(['lost'])
    await vi.advanceTimersByTimeAsync(50)
    expect(held.get('lost')).toEqual({ state: 'failed' })
  })
})
