import { text } from '../../text/words.svelte'
import { list } from '../../text/words/list'
import { open } from '../opening'
import type { Offer } from './act'

/** By keyboard, what a click on the name does. */
export const author: Offer = ({ client, message }) => ({
  key: 'author',
  label: text.of(list).author,
  run: () => open.person(client, message.author.id),
})
