import type { MeEvent, RoomEvent } from '../protocol/types'
import type { Client } from './client.svelte'

type Shown = Pick<Client, 'rooms' | 'sending' | 'quotes' | 'addresses' | 'user'>

/** What an event of a room changes beside the timeline that it belongs to. */
export function heard({ rooms, sending, quotes, addresses, user }: Shown, event: RoomEvent): void {
  const { room, seq } = event
  rooms.moved(room, seq)
  switch (event.kind) {
    case 'message':
      sending.arrived(event.message.id)
      rooms.wrote(room, event.message)
      if (event.message.author.id !== user) rooms.mark(room)
      break
    case 'edit':
      quotes.changed(event.message.id)
      rooms.mark(room)
      break
    case 'redaction':
      quotes.changed(event.id)
      rooms.mark(room)
      break
    case 'attachment':
      addresses.renew(event.attachment.id)
      break
    case 'room':
      rooms.described(event.room_info)
      rooms.mark(room)
      break
    case 'membership':
      rooms.mark(room)
      break
    default:
    // Stubs, reactions and pins change nothing in the list; unknown kinds are ignored.
  }
}

/** What an event of one's own changes in the list. */
export function heardOwn({ rooms }: Shown, event: MeEvent): void {
  if (event.kind === 'room_gained') rooms.mark(event.room)
  else if (event.kind === 'read') rooms.read(event.room, event.upto, false)
  else if (event.kind === 'involvement') rooms.involved(event.room, event.involvement)
}
