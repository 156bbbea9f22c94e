import type { Change, Message } from '../protocol/types'
import type { Client } from './client.svelte'
import { notice } from './notice.svelte'

/** What a person does to a message that was sent. It comes back as an event; whether it went wrong is told in words. */
export async function change(client: Client, command: Change): Promise<boolean> {
  try {
    await client.request(command)
    return true
  } catch (error) {
    notice.failure(error)
    return false
  }
}

/** Gives a reaction, or takes one's own back. */
export function toggle(client: Client, message: Message, key: string): Promise<boolean> {
  const mine = message.reactions?.find((reaction) => reaction.key === key)?.users.includes(client.user) ?? false
  return change(client, { op: 'react', message: message.id, key, on: !mine })
}
