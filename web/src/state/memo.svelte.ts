import { newKey } from '../protocol/ids'
import { Problem } from '../protocol/problem'
import type { Message, MessageId, Room, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { Draft } from './drafts.svelte'
import { route } from './route.svelte'

/** One's own room, in which what is put on one device is at hand on the others; undefined until the list is there. */
export function memoRoom(client: Client): Room | undefined {
  return client.rooms.groups.find(({ name }) => name === 'memo')?.rooms[0]
}

/** Where one was before the memo pad was opened by its key. */
let before: RoomId | null = null

/** There, and with the same key back to where one was. */
export function toMemo(client: Client): void {
  const memo = memoRoom(client)
  if (memo === undefined) return
  if (route.room !== memo.id) {
    before = route.room
    route.go(memo.id)
  } else if (before !== null && client.rooms.get(before) !== undefined) {
    route.go(before)
    before = null
  }
}

/** Words alone go the way of any message: they wait where there is no line. */
export function say(client: Client, room: RoomId, words: string): void {
  const draft = new Draft()
  draft.text = words
  client.send(room, draft)
}

/** Of forwards whose answer was lost: tried again under the same id, they arrive once. */
const lost = new Map<string, string>()

/** Sends a message on with its photos and files. Raises what the call raises. */
export async function forward(client: Client, message: MessageId, room: RoomId): Promise<void> {
  const way = `${client.user} ${message} ${room}`
  const id = lost.get(way) ?? newKey()
  lost.set(way, id)
  try {
    await client.api.call(`/api/rooms/${encodeURIComponent(room)}/messages`, {
      method: 'POST',
      body: { client_msg_id: id, forward: message },
    })
  } catch (error) {
    // A refusal is an answer; sent again later, it is another act.
    if (error instanceof Problem && !error.passes) lost.delete(way)
    throw error
  }
  lost.delete(way)
}

/** Rooms that one may write into, the last used first, without `but`. */
export function writable(client: Client, but: RoomId): Room[] {
  return client.rooms.groups
    .flatMap(({ rooms }) => rooms)
    .filter(({ id, can, archived }) => id !== but && can.post && !archived)
    .sort((a, b) => (b.last?.at ?? 0) - (a.last?.at ?? 0))
}

export function attached(message: Message): { photos: number; files: number } {
  const there = (message.attachments ?? []).filter(({ state }) => state !== 'withdrawn')
  const photos = there.filter(({ kind }) => kind === 'photo').length
  return { photos, files: there.length - photos }
}
