import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import { writing } from '../writing'
import type { Offer } from './act'

export const reply: Offer = ({ client, room, message }) =>
  room.archived || !room.can.post
    ? null
    : { key: 'reply', label: text.of(acts).reply, run: () => writing.reply(client.drafts.of(room.id), message.id) }
