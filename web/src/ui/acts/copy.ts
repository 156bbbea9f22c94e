import { text } from '../../text/words.svelte'
import { acts } from '../../text/words/acts'
import type { Offer } from './act'

export const copy: Offer = ({ message }) =>
  message.text === undefined || message.text === ''
    ? null
    : {
        key: 'copy',
        label: text.of(acts).copy,
        run: () => void navigator.clipboard.writeText(message.text ?? '').catch(() => undefined),
      }
