import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Found } from '../src/protocol/findingTypes'
import type { Paged } from '../src/protocol/types'
import { placed } from '../src/state/directory.svelte'
import { PeopleSearch } from '../src/state/peopleSearch.svelte'
import { RoomMembers } from '../src/state/roomMembers.svelte'
import { Searching } from '../src/state/searching.svelte'
import { folded, meant } from '../src/text/folded'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Answers in the order that the test wants. */
function calls() {
  const open: { path: string; body: unknown; answer(value: unknown): Promise<void>; fail(): Promise<void> }[] = []
  const settled = () => vi.advanceTimersByTimeAsync(0)
  const api = {
    call: (path: string, options: { body?: unknown } = {}) =>
      new Promise<never>((resolve, reject) => {
        open.push({
          path,
          body: options.body,
          answer: (value) => (resolve(value as never), settled().then(() => undefined)),
          fail: () => (reject(new Error('no line')), settled().then(() => undefined)),
        })
      }),
  }
  return { api, open }
}

const hit = (id: string): Found =>
  ({ room: 'r', message: id, seq: 1, note: null, at: 1, kind: 'message', attachment: null, excerpt: [] }) as unknown as Found
const page = (items: unknown[], next: string | null = null): Paged<unknown> => ({ items, next })

describe('what is meant', () => {
  it('is one form for many ways of writing', () => {
    expect(folded('ﾄﾞｳﾛ　ＡＢ１2')).toBe('どうろab12')
    expect(folded('髙﨑')).toBe('高崎')
    expect(meant('どうろ', 'ドウロ課')).toBe(true)
    expect(meant('道路 現場', '道路パトロール 現場報告')).toBe(true)
    expect(meant('道路 現場', '道路課', '現場')).toBe(true)
    expect(meant('下水', '道路課')).toBe(false)
  })
})

describe('the tree of departments', () => {
  it('knows depth, and how a section is written behind a name', () => {
    const department = (id: string, parent: string | null) => ({ id, name: id, parent, position: 1 })
    const nodes = placed([department('部', null), department('課', '部'), department('係', '課')])
    expect(nodes.map(({ depth, parted, section }) => [depth, parted, section])).toEqual([
      [0, true, '部'],
      [1, true, '課'],
      [2, false, '課 係'],
    ])
  })

  it('ends where departments are above each other in a ring', () => {
    const ring = [
      { id: 'a', name: 'a', parent: 'b', position: 1 },
      { id: 'b', name: 'b', parent: 'a', position: 2 },
    ]
    expect(placed(ring)).toHaveLength(2)
  })
})

describe('a search', () => {
  it('asks once one pauses, drops older answers, and goes on by the cursor', async () => {
    const { api, open } = calls()
    const search = new Searching({ api } as never)
    search.type('倒')
    await vi.advanceTimersByTimeAsync(300)
    search.type('倒木')
    await vi.advanceTimersByTimeAsync(300)
    expect(open.map(({ body }) => (body as { words: string }).words)).toEqual(['倒', '倒木'])
    await open[1]!.answer(page([hit('new')], 'c'))
    await open[0]!.answer(page([hit('old')]))
    expect(search.items.map(({ message }) => message)).toEqual(['new'])
    search.more()
    await vi.advanceTimersByTimeAsync(0)
    expect(open[2]!.body).toMatchObject({ words: '倒木', cursor: 'c' })
    // Empty, and not the last one.
    await open[2]!.answer(page([], 'd'))
    await open[3]!.answer(page([hit('older')]))
    expect(search.items.map(({ message }) => message)).toEqual(['new', 'older'])
    expect(search.complete).toBe(true)
  })

  it('forgets everything with the words, and keeps what was found when the next page fails', async () => {
    const { api, open } = calls()
    const search = new Searching({ api } as never)
    search.type('倒木')
    await vi.advanceTimersByTimeAsync(300)
    await open[0]!.answer(page([hit('a')], 'c'))
    search.more()
    await open[1]!.fail()
    expect([search.status, search.items.length]).toEqual(['failed', 1])
    search.again()
    expect(open[2]!.body).toMatchObject({ cursor: 'c' })
    search.type(' ')
    await open[2]!.answer(page([hit('b')]))
    expect([search.status, search.items.length]).toEqual(['idle', 0])
  })

  it('takes both days as a whole', async () => {
    const { api, open } = calls()
    const search = new Searching({ api } as never)
    search.type('a')
    search.narrow({ since: '2026-11-26', until: '2026-11-27' })
    await vi.advanceTimersByTimeAsync(0)
    const { since, until } = open[0]!.body as { since: number; until: number }
    expect([new Date(since).getDate(), (until - since) / 3_600_000]).toEqual([26, 48])
  })
})

describe('people', () => {
  it('are asked for once one pauses, and nobody without a word', async () => {
    const { api, open } = calls()
    const people = new PeopleSearch(api, 20)
    people.look('た')
    people.look('たな')
    await vi.advanceTimersByTimeAsync(300)
    expect(open).toHaveLength(1)
    people.look('')
    await open[0]!.answer(page([{ id: 'u' }]))
    expect(people.items).toEqual([])
  })
})

describe('members', () => {
  it('come page by page, each once, and follow who comes, goes, and is given a role', async () => {
    const { api, open } = calls()
    const members = new RoomMembers('r', api)
    members.load()
    await open[0]!.answer(page([{ id: 'a', role: 'owner' }, { id: 'b', role: 'member' }], 'c'))
    members.more()
    expect(open[1]!.path).toContain('cursor=c')
    await open[1]!.answer(page([{ id: 'b', role: 'member' }, { id: 'd', role: 'member' }]))
    expect(members.items.map(({ id }) => id)).toEqual(['a', 'b', 'd'])
    const event = (user: string, change: string, role: string) =>
      members.happened({ op: 'event', room: 'r', kind: 'membership', user: { id: user }, change, role, seq: 1, at: 1 } as never)
    event('b', 'role', 'read_only')
    event('d', 'left', 'member')
    expect(members.items).toEqual([{ id: 'a', role: 'owner' }, { id: 'b', role: 'read_only' }])
    event('new', 'joined', 'member')
    await vi.advanceTimersByTimeAsync(500)
    expect(open).toHaveLength(3)
  })
})
