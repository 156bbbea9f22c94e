import type { Client } from '../state/client.svelte'
import type { RoomId, UserId } from '../protocol/types'
import { route } from '../state/route.svelte'
import { overlay } from './overlay.svelte'

const parts = () => import('./parts')

/** What can be opened from anywhere: by a button, a key, or a name that is clicked on. */
export const open = {
  switcher: (client: Client) => overlay.open(async () => ({ default: (await parts()).Switcher }), { client }),
  newRoom: (client: Client) => overlay.open(async () => ({ default: (await parts()).NewRoom }), { client }),
  openRooms: (client: Client) => overlay.open(async () => ({ default: (await parts()).OpenRooms }), { client }),
  shortcuts: () => overlay.open(async () => ({ default: (await parts()).ShortcutsPage }), {}),
  person: (client: Client, user: UserId) =>
    overlay.open(async () => ({ default: (await parts()).PersonCard }), { client, user }),
  /** In one room, or everywhere with what was looked for before. */
  search: async (client: Client, room?: RoomId) => {
    if (room !== undefined) (await parts()).searchingOf(client).within(room)
    if (route.page !== 'search') route.visit('search')
  },
}
