import { choosing } from '../../state/choosing.svelte'
import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

/** Begins to choose messages, with this one, to be taken over into a note. */
export const intoNote: Offer = ({ room, timeline, message }) =>
  room.archived || !room.can.post
    ? null
    : { key: 'note', label: text.of(acts).intoNote, run: () => choosing.start(timeline, message) }
