import type { RoomId } from '../protocol/types'
import { per } from './per'

/** When a room was last on this screen, in the order of visits; what one goes back to most is near. */
export const visitsOf = per(() => new Map<RoomId, number>())

let count = 0

export function visited(visits: Map<RoomId, number>, room: RoomId): void {
  visits.set(room, ++count)
}
