import type { Message, UserId } from '../protocol/types'

export type Row =
  | { type: 'day'; key: string; at: number }
  | { type: 'unread'; key: string }
  /** `continued`: the same author wrote the row above a moment ago, so the name need not stand again. */
  | { type: 'message'; key: string; message: Message; continued: boolean }

const MOMENT = 5 * 60_000

/** What the timeline shows, in order. `unreadAfter`: the read marker; null when nothing was unread. */
export function rows(messages: readonly Message[], unreadAfter: number | null, complete: boolean, me: UserId): Row[] {
  const result: Row[] = []
  const first = messages[0]
  const days = new Set<string>()
  // With older messages still to come, the first unread one may be among them.
  let lineDue = unreadAfter !== null && first !== undefined && (complete || first.seq <= unreadAfter)
  let above: Message | null = null
  for (const message of messages) {
    if (above === null || dayOf(above) !== dayOf(message)) {
      // By the day, so that the line stays the same one when older messages of that day arrive above it.
      const key = `day ${dayOf(message)}`
      // A server's clock that was put back brings a day twice.
      result.push({ type: 'day', key: days.has(key) ? `${key} ${message.seq}` : key, at: message.at })
      days.add(key)
      above = null
    }
    if (lineDue && message.seq > unreadAfter! && message.author.id !== me) {
      result.push({ type: 'unread', key: 'unread' })
      lineDue = false
      above = null
    }
    result.push({ type: 'message', key: message.id, message, continued: above !== null && continues(above, message) })
    above = message
  }
  return result
}

/** Asked for every message held, each time one is written. */
const known = new WeakMap<Message, number>()

function dayOf(message: Message): number {
  let day = known.get(message)
  if (day === undefined) known.set(message, (day = new Date(message.at).setHours(0, 0, 0, 0)))
  return day
}

function continues(above: Message, message: Message): boolean {
  const plain = (one: Message) => one.kind !== 'system' && one.forward === undefined && one.redacted === undefined && one.level === undefined
  return (
    plain(above) &&
    plain(message) &&
    above.author.id === message.author.id &&
    above.author.name === message.author.name &&
    above.author.department === message.author.department &&
    above.author.post === message.author.post &&
    message.at - above.at < MOMENT
  )
}
