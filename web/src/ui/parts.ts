/** Dialogs that are called from everywhere, loaded together: each is small, and the first page knows one name for all. */
export { default as NewRoom } from './rooms/NewRoom.svelte'
export { default as OpenRooms } from './rooms/OpenRooms.svelte'
export { default as PersonCard } from './people/PersonCard.svelte'
export { default as ShortcutsPage } from './ShortcutsPage.svelte'
export { default as Switcher } from './rooms/Switcher.svelte'
export { searchingOf } from '../state/searching.svelte'
