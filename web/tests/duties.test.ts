import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DutiesApi, reworded, wordsOf } from '../src/protocol/duties'
import type { Message, RoomEvent } from '../src/protocol/types'
import { Announcing } from '../src/state/announcing.svelte'
import { Confirming } from '../src/state/confirming.svelte'
import { Reads } from '../src/state/reads.svelte'
import type { Rooms } from '../src/state/rooms.svelte'
import { deadlines, fields, fromFields, sendings } from '../src/text/choices'
import { treeOf } from '../src/text/tree'

const author = { id: 'u1', name: '高橋 健', department: '道路課', post: '主事', kind: 'member' }
const message = (seq: number, extra: Partial<Message> = {}): Message => ({
  id: `m${seq}`, seq, ordinal: seq, at: seq, kind: 'text', version: 1, author, text: `text ${seq}`, ...extra,
})
const event = (one: Message, kind: 'message' | 'edit' = 'message'): RoomEvent =>
  ({ op: 'event', room: 'r', seq: one.seq + 50, at: 1, kind, target: one.seq, message: one }) as RoomEvent
const at = (text: string) => new Date(text).getTime()
const names = (choices: { name: string }[]) => choices.map(({ name }) => name)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('times to choose', () => {
  it('are to come, at the ends of working days', () => {
    const morning = at('2026-11-27T09:12:31')
    expect(deadlines(morning)).toEqual([
      { name: 'today17', at: at('2026-11-27T17:00') },
      { name: 'tomorrow17', at: at('2026-11-28T17:00') },
      { name: 'inThreeDays', at: at('2026-11-30T17:00') },
    ])
    expect(sendings(morning).find(({ name }) => name === 'hour')!.at).toBe(at('2026-11-27T10:13'))
    expect(sendings(morning).find(({ name }) => name === 'monday')!.at).toBe(at('2026-11-30T08:30'))
  })

  it('leave out what is over, or nearly', () => {
    expect(names(deadlines(at('2026-11-27T16:55')))).toEqual(['tomorrow17', 'inThreeDays'])
    expect(names(sendings(at('2026-11-29T18:00')))).toEqual(['hour', 'tomorrow'])
    expect(names(sendings(at('2026-11-30T18:00')))).toContain('monday')
  })

  it('go through the fields of the browser and back', () => {
    const time = at('2027-01-05T08:05')
    expect(fields(time)).toEqual({ date: '2027-01-05', time: '08:05' })
    expect(fromFields('2027-01-05', '08:05')).toBe(time)
    expect(fromFields('', '08:05')).toBeNull()
  })
})

it('other words leave photos and files as they are', () => {
  const blocks = [{ type: 'text' as const, text: 'old' }, { type: 'photos' as const, ids: ['p'] }]
  expect(reworded(blocks, 'new')).toEqual([{ type: 'text', text: 'new' }, { type: 'photos', ids: ['p'] }])
  expect(wordsOf(reworded(blocks, ''))).toBe('')
})

it('departments become a tree in their order', () => {
  const one = (id: string | null, parent: string | null) => ({ organization: 'o', id, name: `${id}`, parent, read: 0, total: 1 })
  const tree = treeOf([one('a', null), one('b', 'a'), one('c', 'b'), one('d', 'gone'), one(null, null)])
  expect(tree.map(({ id }) => id)).toEqual(['a', 'd', null])
  expect(tree[0]!.below[0]!.below[0]!.id).toBe('c')
})

describe('announcements', () => {
  function announcing(read = 0) {
    const rooms = { get: () => ({ read, name: '全庁のお知らせ' }) } as unknown as Rooms
    return new Announcing({ announcements: async () => [] } as unknown as DutiesApi, 'me', rooms)
  }

  it('stand by what they matter, then the newest', () => {
    const all = announcing()
    for (const one of [message(1, { level: 'notice' }), message(2, { level: 'urgent' }), message(3, { level: 'notice' })]) all.heard(event(one))
    all.heard(event(message(4)))
    all.heard(event(message(5, { level: 'urgent', author: { ...author, id: 'me' } })))
    expect(all.unread.map((one) => one.message.seq)).toEqual([2, 3, 1])
    all.heard({ op: 'event', room: 'r', seq: 60, at: 1, kind: 'redaction', target: 2, id: 'm2', how: 'redacted' })
    all.heard(event(message(3, { level: 'notice', text: '訂正' }), 'edit'))
    expect(all.unread.map((one) => one.message.text)).toEqual(['訂正', 'text 1'])
  })

  it('are gone once the marker has passed them', () => {
    const all = announcing(2)
    for (const seq of [1, 2, 3]) all.heard(event(message(seq, { level: 'notice' })))
    expect(all.unread.map((one) => one.message.seq)).toEqual([3])
  })
})

describe('要確認', () => {
  function confirming(counts = { by: 9, confirmed: 1, asked: 3, mine: null as number | null, departments: [] }) {
    const api = { pending: vi.fn(async () => []), confirmations: vi.fn(async () => counts), confirm: vi.fn(async () => ({ at: 7 })) }
    return { all: new Confirming(api as unknown as DutiesApi, 'me'), api, counts }
  }

  it('keeps the nearest time first, and asks the server only where it cannot know', async () => {
    const { all, api } = confirming()
    all.heard(event(message(1, { confirm: { by: 90 } })))
    all.heard(event(message(2, { confirm: { by: 40 } })))
    all.heard(event(message(3, { confirm: { by: 10 }, author: { ...author, id: 'me' } })))
    expect(all.pending.map((one) => one.message)).toEqual(['m2', 'm1'])
    all.heard(event(message(1, { confirm: { by: 20 } }), 'edit'))
    expect(all.pending.map((one) => one.message)).toEqual(['m1', 'm2'])
    all.heard(event(message(1), 'edit'))
    expect(all.pending.map((one) => one.message)).toEqual(['m2'])
    expect(api.pending).not.toHaveBeenCalled()
    all.heard(event(message(9, { confirm: { by: 20 } }), 'edit'))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(api.pending).toHaveBeenCalledTimes(1)
  })

  it('counts with what is told in passing, and forgets what was confirmed on whatever device', async () => {
    const { all, counts } = confirming()
    all.heard(event(message(1, { confirm: { by: 90 } })))
    await all.ask('m1')
    all.passing({ op: 'confirmations', room: 'r', confirmed: { m1: 2, other: 5 } })
    expect(all.count('m1')).toEqual({ confirmed: 2, asked: 3, mine: null })
    expect(all.count('other')).toBeUndefined()
    counts.mine = 7
    all.heard({ op: 'me', seq: 1, at: 7, kind: 'confirmed', room: 'r', message: 'm1' })
    expect(all.pending).toEqual([])
    await vi.advanceTimersByTimeAsync(0)
    expect(all.count('m1')!.mine).toBe(7)
  })

  it('reminds of what is in the list, and of what comes into it by asking', async () => {
    const { all, api } = confirming()
    all.heard(event(message(1, { confirm: { by: 90 } })))
    all.heard({ op: 'me', seq: 1, at: 7, kind: 'confirm_again', room: 'r', message: 'm1', by: 90 })
    expect(all.reminder?.message).toBe('m1')
    const far = { room: 'r', message: 'm5', at: 1, by: 50, author_name: '高橋 健', text: '' }
    api.pending.mockResolvedValue([far] as never)
    all.heard({ op: 'me', seq: 2, at: 7, kind: 'confirm_again', room: 'r', message: 'm5', by: 50 })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(all.reminder).toEqual(far)
    all.heard({ op: 'me', seq: 3, at: 8, kind: 'confirmed', room: 'r', message: 'm5' })
    expect(all.reminder).toBeNull()
  })

  it('says why it could not be confirmed, and lets one try again', async () => {
    const { all, api } = confirming()
    api.confirm.mockRejectedValueOnce(new Error('away'))
    expect(await all.confirm('m1')).toBe(false)
    expect(all.doing('m1')).toEqual({ name: 'failed', problem: null })
    expect(await all.confirm('m1')).toBe(true)
    expect(all.doing('m1')).toBeUndefined()
  })
})

describe('who has read', () => {
  it('is asked for the newest in sight alone, again when somebody reads, and never when everybody has', async () => {
    const figures = { read: 1, total: 2 }
    const rollup = vi.fn(async (_: string) => ({ ...figures, departments: [] }))
    const reads = new Reads({ rollup } as unknown as DutiesApi)
    for (let seq = 1; seq <= 8; seq++) reads.watch('r', `m${seq}`, seq)
    await vi.advanceTimersByTimeAsync(500)
    expect(rollup.mock.calls.map(([id]) => id)).toEqual(['m8', 'm7', 'm6', 'm5', 'm4'])
    expect(reads.of('m8')).toEqual({ read: 1, total: 2 })
    figures.read = 2
    reads.passing({ op: 'receipts', room: 'elsewhere', upto: [] })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(rollup).toHaveBeenCalledTimes(5)
    for (let second = 0; second < 3; second++) reads.passing({ op: 'receipts', room: 'r', upto: [[8, 2]] })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(rollup).toHaveBeenCalledTimes(10)
    for (const times of [13, 13]) {
      reads.passing({ op: 'receipts', room: 'r', upto: [[8, 2]] })
      await vi.advanceTimersByTimeAsync(10_000)
      expect(rollup).toHaveBeenCalledTimes(times)
    }
  })
})
