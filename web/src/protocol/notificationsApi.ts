import type { Calls } from './roomsApi'
import type { MessageId, RoomId, UserId } from './types'

export type Wanted = 'all' | 'mentions_and_direct' | 'none'
export type RoomLevel = 'all' | 'mentions' | 'none'

/** What holds for all devices of a person. `quiet`: HH:MM, by the clock in `time_zone`. */
export interface Ringing {
  push: Wanted
  duty: 'on' | 'off'
  quiet: { from: string; to: string } | null
  time_zone: string
}

export interface ToldOfRoom {
  room: RoomId
  level: RoomLevel
}

interface Explanation {
  ja: string
  en: string
}

/** What became of a push on one device. `due_at`: when it is tried again. */
export interface Pushed {
  device: string
  name: string
  platform: string
  kind: 'ring' | 'badge' | 'clear'
  why: string
  state: string
  explanation: Explanation
  tries: number
  answer: string
  receipt: string
  queued_at: number
  tried_at: number | null
  due_at: number | null
  done_at: number | null
}

/** `why`: empty if they were rung. `decided_at` null: nothing was decided (yet). */
export interface PushExplained {
  user: UserId
  message: MessageId
  at: number
  decided_at: number | null
  why: string
  explanation: Explanation
  devices: Pushed[]
}

/** A message by its id, or as a link to it names it. */
export type MessageNamed = { message: MessageId } | { room: RoomId; seq: number }

/** How one wants to be rung; and, for administrators, why somebody was not. */
export const notificationsApi = (api: Calls) => ({
  read: (): Promise<Ringing & { rooms: ToldOfRoom[] }> => api.call('/api/me/notifications'),
  change: ({ push, duty, quiet, time_zone }: Ringing): Promise<Ringing & { rooms: ToldOfRoom[] }> =>
    api.call('/api/me/notifications', { method: 'PUT', body: { push, duty, quiet, time_zone } }),
  /** Null: as one's own setting says. */
  room: (room: RoomId, level: RoomLevel | null): Promise<unknown> =>
    api.call(`/api/rooms/${encodeURIComponent(room)}/notifications`, { method: 'PUT', body: { level } }),
  /** Each asking is on record. */
  why: (user: UserId, named: MessageNamed): Promise<PushExplained> =>
    api.call(
      `/api/organization/push/why?${new URLSearchParams(Object.entries({ user, ...named }).map(([name, value]) => [name, String(value)]))}`,
    ),
})
