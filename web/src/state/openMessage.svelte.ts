import type { RoomId } from '../protocol/types'
import type { Client } from './client.svelte'
import { route } from './route.svelte'

export type Opened = 'opened' | 'gone' | 'far' | 'failed'

/** Leads to one message of whatever room. Nothing moves unless it can be shown. */
export async function openMessage(client: Client, room: RoomId, seq: number): Promise<Opened> {
  const before = route.room
  client.open(room)
  const timeline = client.timelines.get(room)
  const stay = (why: Opened) => {
    client.open(before)
    return why
  }
  if (timeline === undefined) return stay('gone')
  await until(() => timeline.status !== 'loading')
  if (timeline.status === 'failed') return stay('failed')
  if (!(await timeline.reach(seq))) return stay(timeline.older === 'failed' ? 'failed' : 'far')
  timeline.target = seq
  if (before !== room) route.follow(room)
  return 'opened'
}

function until(true_: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = $effect.root(() => {
      $effect(() => {
        if (!true_()) return
        resolve()
        queueMicrotask(() => end())
      })
    })
  })
}
