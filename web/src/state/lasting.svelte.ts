/**
 * For what something on the screen is the first to ask for, and what is still there when that has gone: a draft, a search.
 * What is derived in it would otherwise belong to whoever asked first, and keep its last value for ever after their end.
 */
export function lasting<T>(make: () => T): T {
  let made: T | undefined
  $effect.root(() => {
    made = make()
  })
  return made as T
}
