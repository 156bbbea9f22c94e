import type { MessageNamed, RoomLevel, ToldOfRoom, Wanted } from '../protocol/notificationsApi'
import type { Room, RoomId } from '../protocol/types'
import { placeOf } from './route.svelte'

type Involvement = Room['involvement']

const LEVELS: Record<Involvement, RoomLevel> = { everything: 'all', mentions: 'mentions', nothing: 'none' }

/** What rings one's devices where a room's notifications are set to this. */
export const levelOf = (involvement: Involvement): RoomLevel => LEVELS[involvement]

/** What rings of a room; null: as usual. What was said of devices there speaks for itself; what the room is set to only takes away. */
export function ringsOf(involvement: Involvement, told: RoomLevel | null, push: Wanted): RoomLevel | null {
  if (told !== null) return told
  if (involvement === 'everything') return null
  return push === 'none' ? 'none' : levelOf(involvement)
}

export interface OwnRule {
  id: RoomId
  name: string
  level: RoomLevel
}

/** The rooms that do not ring as usual. */
export function ownRules(rooms: readonly Room[], told: readonly ToldOfRoom[], push: Wanted): OwnRule[] {
  const levels = new Map(told.map(({ room, level }) => [room, level]))
  return rooms.flatMap(({ id, name, involvement }) => {
    const level = ringsOf(involvement, levels.get(id) ?? null, push)
    return level === null ? [] : [{ id, name, level }]
  })
}

/** What somebody pasted: a link to a message, or its id. Null: neither. */
export function namedMessage(pasted: string): MessageNamed | null {
  const words = pasted.trim()
  if (/^[0-9a-v]{26}$/.test(words)) return { message: words }
  const hash = words.indexOf('#/')
  if (hash < 0) return null
  const { room, message } = placeOf(words.slice(hash))
  return room === null || message === undefined || message === null || !/^[0-9a-v]{26}$/.test(room) ? null : { room, seq: message }
}
