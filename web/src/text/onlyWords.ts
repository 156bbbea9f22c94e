import type { Message } from '../protocol/types'
import { isLong } from './folding'
import { segments } from './segments'

/** What gives a message more than its words. */
const MORE = ['redacted', 'quote', 'forward', 'attachments', 'confirm', 'edited', 'reactions'] as const

/** The words of a message that is nothing but words, as most are; null where it has anything else to show. */
export function onlyWords(message: Message): string | null {
  if (MORE.some((key) => message[key] !== undefined) || isLong(message.text ?? '')) return null
  const [only, ...others] = segments(message)
  return only?.type === 'text' && others.length === 0 ? only.text : null
}
