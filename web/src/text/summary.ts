import type { Message } from '../protocol/types'
import { isStrange, segments } from './segments'
import { text } from './words.svelte'

/** What somebody wrote in it, the mentions as names; nothing of its photos and files. */
export function wordsOf(message: Message): string {
  const said = segments(message).map((part) =>
    part.type === 'link' ? part.href : part.type === 'mention' ? `@${part.name}` : part.text,
  )
  return said.join('')
}

/** All of it in a line: the words, and how many photos and files. (`text` of the message counts them in the server's language.) */
export function summary(message: Message): string {
  if (isStrange(message)) return message.text ?? ''
  const attached = message.attachments ?? []
  const photos = attached.filter(({ kind }) => kind === 'photo').length
  return [wordsOf(message), text.words.timeline.attachmentsOnly(photos, attached.length - photos)].filter(Boolean).join(' ・ ')
}
