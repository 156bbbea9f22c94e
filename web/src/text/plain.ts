import type { Message } from '../protocol/types'

const TOKEN = /<@(?:(?:user|department):[A-Za-z0-9_-]{1,64}|everyone)>/g

/** A message in one line, names in the place of mentions. */
export function plainText(message: Message): string {
  const names = message.mentions ?? {}
  const said = (message.text ?? '').replace(TOKEN, (token) => `@${names[token.slice(2, -1)] ?? '…'}`)
  return said.replace(/\s+/g, ' ').trim()
}
