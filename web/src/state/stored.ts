/** What stays on this device in localStorage, which may be forbidden, full, or hold what somebody else put there. */

export function load(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Null removes it. */
export function save(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // It holds until the page is closed; better than no page.
  }
}

/** An object whose fields are all of the kinds that `standard` has; what is missing or odd is taken from there. */
export function loadFields<Fields extends object>(key: string, standard: Fields): Fields {
  let found: unknown
  try {
    found = JSON.parse(load(key) ?? '{}')
  } catch {
    found = {}
  }
  const result = { ...standard }
  if (typeof found !== 'object' || found === null) return result
  for (const name of Object.keys(standard) as (keyof Fields)[]) {
    const value = (found as Fields)[name]
    if (typeof value === typeof standard[name]) result[name] = value
  }
  return result
}
