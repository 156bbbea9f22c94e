import type { MessageId, RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { route } from './route.svelte'

const PATIENCE = 15_000

/** Opens the room and brings a message into sight. False where it is gone, or too far back. */
export async function lead(client: Client, room: RoomId, message: { id: MessageId; seq?: number }): Promise<boolean> {
  route.go(room)
  try {
    const seq = message.seq ?? (await client.api.message(message.id)).message.seq
    await ready(client, room)
    const timeline = client.timelines.get(room)
    if (route.room !== room || timeline === undefined || !(await timeline.reach(seq))) return false
    timeline.target = seq
    return true
  } catch {
    return false
  }
}

/** Until the room's first page is there. */
function ready(client: Client, room: RoomId): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (done: () => void) => {
      clearTimeout(timer)
      // Not from within the effect itself.
      queueMicrotask(stop)
      done()
    }
    const timer = setTimeout(() => end(() => reject(new Error('not loaded'))), PATIENCE)
    const stop = $effect.root(() => {
      $effect(() => {
        if (client.timelines.get(room)?.status === 'ready') end(resolve)
      })
    })
  })
}
