/** One of five quiet colours, the same for the same id (or name) everywhere. */
export function tileClass(id: string): string {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 9973
  return `tile${(sum % 5) + 1}`
}

/** The first character as a reader sees it, also when it takes two code units (𠮷). */
export function initial(name: string): string {
  return [...name.trim()][0]?.toUpperCase() ?? '・'
}
