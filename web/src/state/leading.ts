import type { MessageId, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { openMessage } from './openMessage'

/** Leads to a message of which one may know no more than its id. False where it is gone, or out of reach. */
export async function lead(client: Client, room: RoomId, message: { id: MessageId; seq?: number }): Promise<boolean> {
  try {
    openMessage(client, room, message.seq ?? (await client.api.message(message.id)).message.seq)
    return true
  } catch {
    return false
  }
}
