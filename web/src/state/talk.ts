import { roomsApi } from '../protocol/roomsApi'
import type { Room, UserId } from '../protocol/types'
import type { Client } from './client.svelte'
import { route } from './route.svelte'

/** Opens a room that the server just told of: made, joined, or found. */
export function enter(client: Client, room: Room): void {
  client.rooms.take(room)
  route.go(room.id)
}

/** The direct room with somebody, made if need be. Raises what the server refuses. */
export async function talkTo(client: Client, user: UserId): Promise<void> {
  const known = client.rooms.all.find((room) => room.kind === 'direct' && room.with === user)
  enter(client, known ?? (await roomsApi(client.api).direct(user)))
}
