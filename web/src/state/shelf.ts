import { load, save } from './stored'

/** Small things that this device remembers, in whatever form they have. */
export function remembered<T>(key: string, fallback: T): T {
  try {
    return JSON.parse(load(`renraku.${key}`) ?? '') as T
  } catch {
    return fallback
  }
}

export function remember(key: string, value: unknown): void {
  save(`renraku.${key}`, JSON.stringify(value))
}
