import { change } from '../../state/changing'
import { notice } from '../../state/notice.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

export const pin: Offer = ({ client, room, message }) => {
  if (room.archived || !room.can.post) return null
  const on = !(message.pinned ?? false)
  const words = text.of(acts)
  return {
    key: 'pin',
    label: on ? words.pin : words.unpin,
    run: async () => {
      if (await change(client, { op: 'pin', message: message.id, on })) notice.tell(on ? words.pinned : words.unpinned)
    },
  }
}
