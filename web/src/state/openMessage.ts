import type { RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { route } from './route.svelte'

/** Leads to a message, however far back, in whichever of one's rooms. */
export function openMessage(_client: Client, room: RoomId, seq: number): void {
  route.toMessage(room, seq)
}
