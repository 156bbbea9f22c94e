import { isEditable } from '../../state/editing.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import { writing } from '../writing'
import type { Offer } from './act'

export const edit: Offer = ({ client, room, message }) =>
  room.archived || !room.can.post || !isEditable(message, client.user)
    ? null
    : { key: 'edit', label: text.of(acts).edit, run: () => writing.edit(client.drafts.of(room.id), message) }
