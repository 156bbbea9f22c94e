/**
 * Mentions between the field and the wire. In the field one reads 「@田中 美咲さん」; `<@user:ID>` travels. Which name
 * stands for whom is kept beside the text (`Labels`), so that a field stays a plain one: the input method, undo and the
 * clipboard work as everywhere.
 */

/** What stands in the field → what is meant: `user:ID`, `department:ID` or `everyone`. */
export type Labels = Readonly<Record<string, string>>

const TOKEN = /<@((?:user|department):[A-Za-z0-9_-]{1,64}|everyone)>/g

/** The text as it travels. A name that is the beginning of another must not be taken for it: the longest first. */
export function travelling(text: string, labels: Labels): string {
  const known = Object.keys(labels)
    .filter((label) => text.includes(label))
    .sort((a, b) => b.length - a.length)
  if (known.length === 0) return text
  let result = ''
  for (let at = 0; at < text.length; ) {
    const label = text.charAt(at) === '@' ? known.find((one) => text.startsWith(one, at)) : undefined
    if (label === undefined) result += text.charAt(at++)
    else {
      result += `<@${labels[label]}>`
      at += label.length
    }
  }
  return result
}

/** The text as one reads it, and which names stand in it. `label` makes 「@田中 美咲さん」 of what is meant and its name. */
export function readable(
  text: string,
  names: Readonly<Record<string, string>>,
  label: (meant: string, name: string) => string,
): { text: string; labels: Labels } {
  const labels: Record<string, string> = {}
  const read = text.replace(TOKEN, (whole, meant: string) => {
    const name = names[meant] ?? (meant === 'everyone' ? '' : undefined)
    if (name === undefined) return whole
    const shown = distinct(label(meant, name), meant, labels)
    labels[shown] = meant
    return shown
  })
  return { text: read, labels }
}

/** Two people of one name: the second is told apart by a number. */
export function distinct(label: string, meant: string, labels: Labels): string {
  for (let number = 1; ; number++) {
    const shown = number === 1 ? label : `${label}(${number})`
    if (labels[shown] === undefined || labels[shown] === meant) return shown
  }
}

/** What is meant in a text, each once. */
export function meant(text: string, labels: Labels): string[] {
  return [...new Set([...travelling(text, labels).matchAll(TOKEN)].map(([, one]) => one!))]
}

/** Words from where nobody can be called and nobody is asked: what looks like a call in them is not one. */
export function uncalled(text: string): string {
  return text.replaceAll('<@', '＜@')
}
