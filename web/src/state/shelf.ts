/** Small things that this device remembers. Where storage is switched off, nothing is, and the page works all the same. */
export function remembered<T>(key: string, fallback: T): T {
  try {
    const kept = localStorage.getItem(`renraku.${key}`)
    return kept === null ? fallback : (JSON.parse(kept) as T)
  } catch {
    return fallback
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`renraku.${key}`, JSON.stringify(value))
  } catch {
    // See above.
  }
}
