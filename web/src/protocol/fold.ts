/**
 * What the messages held of a room become when an event happens. Pure: the result must equal the messages as they
 * would be fetched afresh after that event (tests/fold.test.ts holds it to that).
 */

import type { Message, MessageId, Reaction, RoomEvent } from './types'

export interface Folded {
  /** In order of seq; the same array when nothing changed. */
  messages: readonly Message[]
  /** Cannot be known from the event alone: fetch this message. */
  doubtful?: MessageId
}

export function fold(messages: readonly Message[], event: RoomEvent): Folded {
  switch (event.kind) {
    case 'message':
      return { messages: insert(messages, event.message) }
    case 'edit':
      return replace(messages, event.target, (old) =>
        old.redacted === undefined && (event.message.version ?? 0) >= (old.version ?? 0) ? event.message : old,
      )
    case 'redaction':
      return replace(messages, event.target, (old) => redacted(old, event.at))
    case 'reaction':
      return react(messages, event)
    case 'pin':
      return replace(messages, event.target, (old) => {
        if (old.redacted !== undefined || (old.pinned ?? false) === event.on) return old
        const { pinned: _, ...rest } = old
        return event.on ? { ...rest, pinned: true } : rest
      })
    case 'attachment':
      return replace(messages, event.target, (old) => {
        if (!old.attachments?.some(({ id }) => id === event.attachment.id)) return old
        const attachments = old.attachments.map((held) => (held.id === event.attachment.id ? event.attachment : held))
        return { ...old, attachments }
      })
    default:
      return { messages }
  }
}

/** Puts a fetched or an arrived message where it belongs; a redacted one never comes back. */
export function insert(messages: readonly Message[], message: Message): readonly Message[] {
  const index = position(messages, message.seq)
  const old = messages[index]
  if (old?.seq !== message.seq) return messages.toSpliced(index, 0, message)
  const stale = old.redacted !== undefined || (message.redacted === undefined && (message.version ?? 0) < (old.version ?? 0))
  return stale ? messages : messages.with(index, message)
}

/** Older messages that were fetched, before those held. */
export function prepend(messages: readonly Message[], older: readonly Message[]): readonly Message[] {
  const first = messages[0]?.seq ?? Infinity
  const added = older.filter(({ seq }) => seq < first)
  return added.length === 0 ? messages : [...added, ...messages]
}

/** Newer messages that were fetched, after those held. */
export function append(messages: readonly Message[], newer: readonly Message[]): readonly Message[] {
  const last = messages.at(-1)?.seq ?? 0
  const added = newer.filter(({ seq }) => seq > last)
  return added.length === 0 ? messages : [...messages, ...added]
}

function react(messages: readonly Message[], event: RoomEvent & { kind: 'reaction' }): Folded {
  let doubtful: MessageId | undefined
  const { messages: changed } = replace(messages, event.target, (old) => {
    if (old.redacted !== undefined) return old
    const all = old.reactions ?? []
    const held = all.find(({ key }) => key === event.key)
    if (held !== undefined && held.count > held.users.length) {
      // Over 50 users are not listed, and a replayed message may contain this reaction already.
      doubtful = old.id
      return old
    }
    const users = held?.users ?? []
    if (users.includes(event.user) === event.on) return old
    const next = event.on ? [...users, event.user] : users.filter((user) => user !== event.user)
    return withReactions(old, placed(all, { key: event.key, count: next.length, users: next }))
  })
  return doubtful === undefined ? { messages: changed } : { messages: changed, doubtful }
}

function placed(all: readonly Reaction[], reaction: Reaction): Reaction[] {
  const index = all.findIndex(({ key }) => key === reaction.key)
  if (index < 0) return [...all, reaction]
  return reaction.count === 0 ? all.toSpliced(index, 1) : all.with(index, reaction)
}

function withReactions(message: Message, reactions: Reaction[]): Message {
  const { reactions: _, ...rest } = message
  return reactions.length === 0 ? rest : { ...rest, reactions }
}

function redacted(old: Message, at: number): Message {
  if (old.redacted !== undefined) return old
  const { id, seq, ordinal, kind, author } = old
  return { id, seq, ordinal, at: old.at, kind, author, redacted: at }
}

function replace(messages: readonly Message[], seq: number, change: (old: Message) => Message): Folded {
  const index = position(messages, seq)
  const old = messages[index]
  if (old?.seq !== seq) return { messages }
  const changed = change(old)
  return { messages: changed === old ? messages : messages.with(index, changed) }
}

/** Where `seq` stands or would stand. */
function position(messages: readonly Message[], seq: number): number {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (messages[middle]!.seq < seq) low = middle + 1
    else high = middle
  }
  return low
}
