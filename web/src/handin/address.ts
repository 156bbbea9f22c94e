/** What opens the way: the token of the link, and of the visit that was begun with it. */

import { newKey } from '../protocol/ids'

export interface Entry {
  /** '' where the address had none. */
  link: string
  visit: string | null
  /** Names what this visit keeps on the device; the visit's token does not go to its disk. */
  key: string
}

const KEPT = 'renraku.handin'

/**
 * The token stands behind the #, which no browser sends to a server or a proxy's log, and it is taken out of the address bar at
 * once: who looks over a shoulder or into the history does not find it. A reload goes on in this tab alone.
 */
export function arrived(): Entry {
  const token = location.hash.slice(1)
  if (token !== '') history.replaceState(null, '', location.pathname)
  const kept = load()
  if (token === '' || token === kept?.link) return kept ?? { link: token, visit: null, key: newKey() }
  const entry = { link: token, visit: null, key: newKey() }
  keep(entry)
  return entry
}

/** Another link in the same tab changes the part behind the # alone, and loads nothing. */
export function renewed(): void {
  addEventListener('hashchange', () => location.hash.length > 1 && location.reload())
}

export function keep(entry: Entry): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(entry))
  } catch {
    // Then a reload needs the address once more.
  }
}

function load(): Entry | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Entry | null
    return typeof kept?.link === 'string' && typeof kept.key === 'string' ? kept : null
  } catch {
    return null
  }
}
