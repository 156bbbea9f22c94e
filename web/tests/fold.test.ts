import { describe, expect, it } from 'vitest'
import { fold, insert, prepend } from '../src/protocol/fold'
import type { Attachment, Message, RoomEvent } from '../src/protocol/types'
import { random } from './support/random'

const author = { id: 'u1', name: '高橋 健', department: '道路課 維持係', post: '主事', kind: 'member' }
const message = (seq: number, extra: Partial<Message> = {}): Message => ({
  id: `m${seq}`,
  seq,
  ordinal: seq,
  at: seq * 1000,
  kind: 'text',
  version: 1,
  author,
  text: `text ${seq}`,
  blocks: [{ type: 'text', text: `text ${seq}` }],
  ...extra,
})
type EventBody = RoomEvent extends infer E ? (E extends RoomEvent ? Omit<E, 'op' | 'room'> : never) : never
const event = (body: EventBody): RoomEvent => ({ op: 'event', room: 'a', ...body }) as RoomEvent
const photo = (id: string, state: Attachment['state']): Attachment => ({
  id,
  kind: 'photo',
  name: 'a.jpg',
  type: 'image/jpeg',
  size: 1,
  state,
  width: 4,
  height: 3,
  color: '#889999',
})

describe('fold', () => {
  it('adds a message at its place', () => {
    const { messages } = fold([message(1), message(5)], event({ kind: 'message', seq: 3, at: 0, message: message(3) }))
    expect(messages.map(({ seq }) => seq)).toEqual([1, 3, 5])
  })

  it('does not add it twice', () => {
    const held = [message(1), message(2)]
    expect(fold(held, event({ kind: 'message', seq: 2, at: 0, message: message(2) })).messages).toHaveLength(2)
  })

  it('edits, but never back to an earlier version', () => {
    const newer = message(1, { version: 3, text: 'third' })
    const { messages } = fold([message(1)], event({ kind: 'edit', seq: 9, at: 0, target: 1, message: newer }))
    expect(messages[0]!.text).toBe('third')
    const older = message(1, { version: 2, text: 'second' })
    expect(fold(messages, event({ kind: 'edit', seq: 9, at: 0, target: 1, message: older })).messages).toBe(messages)
  })

  it('redacts everything but the place of a message', () => {
    const full = message(1, { reactions: [{ key: 'k', count: 1, users: ['u'] }], attachments: [photo('p', 'ready')] })
    const { messages } = fold([full], event({ kind: 'redaction', seq: 2, at: 77, target: 1, id: 'm1', how: 'redacted' }))
    expect(messages).toEqual([{ id: 'm1', seq: 1, ordinal: 1, at: 1000, kind: 'text', author, redacted: 77 }])
  })

  it('never brings redacted content back', () => {
    const gone = fold([message(1)], event({ kind: 'redaction', seq: 2, at: 77, target: 1, id: 'm1', how: 'redacted' }))
    for (const late of [
      event({ kind: 'edit', seq: 3, at: 0, target: 1, message: message(1, { version: 9 }) }),
      event({ kind: 'message', seq: 1, at: 0, message: message(1) }),
      event({ kind: 'reaction', seq: 4, at: 0, target: 1, id: 'm1', user: 'u', key: 'k', on: true }),
      event({ kind: 'pin', seq: 5, at: 0, target: 1, id: 'm1', on: true }),
      event({ kind: 'attachment', seq: 6, at: 0, target: 1, id: 'm1', attachment: photo('p', 'ready') }),
    ]) {
      expect(fold(gone.messages, late).messages).toBe(gone.messages)
    }
  })

  it('counts reactions by who gave them', () => {
    const give = (user: string, on: boolean) =>
      event({ kind: 'reaction', seq: 2, at: 0, target: 1, id: 'm1', user, key: '承知しました', on })
    let { messages } = fold([message(1)], give('a', true))
    messages = fold(messages, give('b', true)).messages
    expect(messages[0]!.reactions).toEqual([{ key: '承知しました', count: 2, users: ['a', 'b'] }])
    expect(fold(messages, give('a', true)).messages).toBe(messages)
    messages = fold(fold(messages, give('a', false)).messages, give('b', false)).messages
    expect(messages[0]).toEqual(message(1))
  })

  it('asks for the message when the list of users is cut off', () => {
    const many = message(1, { reactions: [{ key: 'k', count: 60, users: ['a'] }] })
    const held = [many]
    const folded = fold(held, event({ kind: 'reaction', seq: 2, at: 0, target: 1, id: 'm1', user: 'z', key: 'k', on: true }))
    expect(folded).toEqual({ messages: held, doubtful: 'm1' })
    const other = fold(held, event({ kind: 'reaction', seq: 2, at: 0, target: 1, id: 'm1', user: 'z', key: 'l', on: true }))
    expect(other.doubtful).toBeUndefined()
  })

  it('pins and unpins', () => {
    const pin = (on: boolean) => event({ kind: 'pin', seq: 2, at: 0, target: 1, id: 'm1', on })
    const { messages } = fold([message(1)], pin(true))
    expect(messages[0]!.pinned).toBe(true)
    expect(fold(messages, pin(false)).messages[0]).toEqual(message(1))
  })

  it('replaces the attachment whose rendition is ready', () => {
    const held = [message(1, { attachments: [photo('p', 'pending'), photo('q', 'pending')] })]
    const ready = event({ kind: 'attachment', seq: 2, at: 0, target: 1, id: 'm1', attachment: photo('q', 'ready') })
    expect(fold(held, ready).messages[0]!.attachments!.map(({ state }) => state)).toEqual(['pending', 'ready'])
  })

  it('leaves messages that are not held alone', () => {
    const held = [message(5)]
    expect(fold(held, event({ kind: 'edit', seq: 9, at: 0, target: 2, message: message(2) })).messages).toBe(held)
  })

  it('ignores stubs, memberships and kinds of later versions', () => {
    const held = [message(1)]
    for (const kind of ['stub', 'membership', 'room', 'a-later-kind']) {
      expect(fold(held, { op: 'event', room: 'a', seq: 2, at: 0, kind } as RoomEvent).messages).toBe(held)
    }
  })
})

describe('prepend', () => {
  it('adds only what is older', () => {
    const held = [message(3), message(4)]
    expect(prepend(held, [message(1), message(2), message(3)]).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    expect(prepend(held, [])).toBe(held)
    expect(prepend([], [message(1)])).toEqual([message(1)])
  })
})

describe('state + events = state fetched afresh', () => {
  // A room in memory that is always right. The client takes a snapshot at any moment and folds what follows, live or
  // replayed: a replay renders the state of now, so later events repeat what the message already says.
  it.each(Array.from({ length: 150 }, (_, seed) => seed))('seed %i', (seed) => {
    const next = random(seed + 1000)
    const pick = <T>(list: T[]): T => list[Math.floor(next() * list.length)]!
    let truth: Message[] = []
    const log: { event: RoomEvent }[] = []
    let held: readonly Message[] = []
    let from = 0
    for (let step = 0; step < 80; step++) {
      const seq = log.length + 1
      const alive = truth.filter(({ redacted }) => redacted === undefined)
      const dice = next()
      if (alive.length === 0 || dice < 0.3) {
        const created = message(seq, { attachments: [photo(`p${seq}`, 'pending')] })
        truth = [...truth, created]
        log.push({ event: event({ kind: 'message', seq, at: seq, message: created }) })
      } else {
        const target = pick(alive)
        const at = truth.indexOf(target)
        const common = { seq, at: seq, target: target.seq, id: target.id }
        if (dice < 0.5) {
          const edited = { ...target, version: (target.version ?? 1) + 1, text: `edited ${seq}`, edited: seq }
          truth = truth.with(at, edited)
          log.push({ event: event({ kind: 'edit', seq, at: seq, target: target.seq, message: edited }) })
        } else if (dice < 0.58) {
          const { id, ordinal, kind, author: who } = target
          truth = truth.with(at, { id, seq: target.seq, ordinal, at: target.at, kind, author: who, redacted: seq })
          log.push({ event: event({ ...common, kind: 'redaction', how: 'redacted' }) })
        } else if (dice < 0.85) {
          const user = pick(['u1', 'u2', 'u3'])
          const key = pick(['承知しました', '対応します'])
          const old = target.reactions?.find((reaction) => reaction.key === key)
          const on = !(old?.users.includes(user) ?? false)
          const users = on ? [...(old?.users ?? []), user] : old!.users.filter((other) => other !== user)
          const rest = (target.reactions ?? []).filter((reaction) => reaction.key !== key)
          const reactions = users.length === 0 ? rest : [...rest, { key, count: users.length, users }]
          const { reactions: _, ...bare } = target
          truth = truth.with(at, reactions.length === 0 ? bare : { ...bare, reactions })
          log.push({ event: event({ ...common, kind: 'reaction', user, key, on }) })
        } else if (dice < 0.93) {
          const { pinned, ...bare } = target
          truth = truth.with(at, pinned ? bare : { ...bare, pinned: true })
          log.push({ event: event({ ...common, kind: 'pin', on: !pinned }) })
        } else {
          const ready = { ...target.attachments![0]!, state: 'ready' as const }
          truth = truth.with(at, { ...target, attachments: [ready] })
          log.push({ event: event({ ...common, kind: 'attachment', attachment: ready }) })
        }
      }
      if (next() < 0.05) {
        held = truth
        from = log.length
      } else if (next() < 0.3) {
        // A page of the replay, rendered now.
        for (const entry of log.slice(from)) held = fold(held, rendered(entry.event, truth)).messages
        from = log.length
        expect(sorted(held)).toEqual(sorted(truth))
      }
    }
  })

  function rendered(original: RoomEvent, truth: Message[]): RoomEvent {
    if (original.kind !== 'message' && original.kind !== 'edit') return original
    const now = truth.find(({ seq }) => seq === original.message.seq)!
    return { ...original, message: now }
  }

  function sorted(messages: readonly Message[]) {
    return messages.map((held) => ({
      ...held,
      reactions: [...(held.reactions ?? [])]
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map((reaction) => ({ ...reaction, users: [...reaction.users].sort() })),
    }))
  }
})

it('insert keeps a redacted message redacted', () => {
  const gone: Message = { id: 'm1', seq: 1, ordinal: 1, at: 1, kind: 'text', author, redacted: 5 }
  const held = [gone]
  expect(insert(held, message(1))).toBe(held)
  expect(insert([message(1, { version: 4 })], gone)).toEqual([gone])
})
