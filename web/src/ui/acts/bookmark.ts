import { bookmarksOf } from '../../state/bookmarks.svelte'
import { change } from '../../state/changing'
import { notice } from '../../state/notice.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

export const bookmark: Offer = ({ client, message }) => {
  const held = bookmarksOf(client)
  held.want()
  const on = !held.has(message.id)
  const words = text.of(acts)
  return {
    key: 'bookmark',
    label: on ? words.bookmark : words.unbookmark,
    run: async () => {
      if (await change(client, { op: 'bookmark', message: message.id, on }))
        notice.tell(on ? words.bookmarked : words.unbookmarked)
    },
  }
}
