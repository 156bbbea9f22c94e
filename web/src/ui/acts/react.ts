import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import { overlay } from '../overlay.svelte'
import type { Offer } from './act'

export const react: Offer = ({ client, room, message }) =>
  room.archived
    ? null
    : {
        key: 'react',
        label: text.of(acts).react,
        run: () => overlay.open(() => import('./ReactionPicker.svelte'), { client, message }),
      }
