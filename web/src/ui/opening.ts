import type { Client } from '../state/client.svelte'
import type { RoomId, UserId } from '../protocol/types'
import { route } from '../state/route.svelte'
import { dialogs } from './dialogs.svelte'

/** What can be opened from anywhere: by a button, a key, or a name that is clicked on. */
export const open = {
  switcher: (client: Client) => dialogs.open(() => import('./rooms/Switcher.svelte'), { client }),
  newRoom: (client: Client) => dialogs.open(() => import('./rooms/NewRoom.svelte'), { client }),
  openRooms: (client: Client) => dialogs.open(() => import('./rooms/OpenRooms.svelte'), { client }),
  shortcuts: () => dialogs.open(() => import('./ShortcutsPage.svelte'), {}),
  person: (client: Client, user: UserId) => dialogs.open(() => import('./people/PersonCard.svelte'), { client, user }),
  /** In one room, or everywhere with what was looked for before. */
  search: async (client: Client, room?: RoomId) => {
    if (room !== undefined) (await import('../state/searching.svelte')).searchingOf(client).within(room)
    if (route.page !== 'search') route.visit('search')
  },
}
