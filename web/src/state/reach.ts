import type { Room } from '../protocol/types'
import { reach } from './calling'
import type { Client } from './client.svelte'
import { membersOf } from './members.svelte'

/** How many people a call reaches; all of the room where that cannot be known. */
export async function reachIn(client: Client, room: Room, meant: readonly string[]): Promise<number> {
  const everybody = Math.max(0, room.members - 1)
  if (meant.includes('everyone')) return everybody
  const members = membersOf(client, room.id)
  await members.want()
  return members.complete ? reach(meant, members.people, members.departments, everybody) : everybody
}
