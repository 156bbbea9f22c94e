import { text } from '../../text/words.svelte'
import { duties } from '../../text/words/duties'
import { overlay } from '../overlay.svelte'
import type { Offer } from './act'

/** 要確認にする: of one's own messages, and for owners of all in their room. */
export const askConfirm: Offer = ({ client, room, message }) => {
  const may = message.author.id === client.user || room.role === 'owner'
  if (!may || room.archived || room.kind === 'memo' || message.confirm !== undefined) return null
  return {
    key: 'confirm',
    label: text.of(duties).askConfirm,
    run: () => overlay.open(() => import('../duties/AskDialog.svelte'), { client, id: message.id }),
  }
}

export const showReaders: Offer = ({ client, room, message }) =>
  room.kind === 'memo'
    ? null
    : {
        key: 'readers',
        label: text.of(duties).showReaders,
        run: () => overlay.open(() => import('../duties/ReadersDialog.svelte'), { client, room, message }),
      }
