import type { Seal } from '../protocol/vault'

const KEY = 'renraku.lock'
export const TRIES = 10

interface Held {
  seal: Seal
  /** Out of sight for so long, the page is locked when it comes back. */
  minutes: number
  wrong: number
}

/**
 * The app's lock: a number of one's own before the page is shown, on a device that lies in a car or on a counter. It
 * covers the page and seals what was kept for reading; it does not seal the session, nor what waits to be sent, which
 * goes on being sent.
 */
class Lock {
  #held = $state.raw<Held | null>(read())
  locked = $state(this.#held !== null)
  readonly set = $derived(this.#held !== null)
  readonly minutes = $derived(this.#held?.minutes ?? 5)
  readonly left = $derived(TRIES - (this.#held?.wrong ?? 0))
  #key: CryptoKey | null = null
  #opened: ((key: CryptoKey | null) => void)[] = []
  #hidden: number | null = null
  /** The key was changed: what was sealed with the other one is worthless. */
  changed: ((key: CryptoKey | null) => void) | null = null

  constructor() {
    document.addEventListener('visibilitychange', () => this.#seen(document.visibilityState === 'visible'))
    // Another tab set, removed or used up the number.
    addEventListener('storage', ({ key }) => {
      if (key !== KEY && key !== null) return
      this.#held = read()
      if (this.#held === null) this.locked = false
    })
  }

  /** The key to what is kept on this device; waits until the person has opened it. Null without a lock. */
  key(): Promise<CryptoKey | null> {
    if (!this.locked) return Promise.resolve(this.#key)
    return new Promise((resolve) => this.#opened.push(resolve))
  }

  /** `spent`: that was the last try, and everything must go. */
  async open(pin: string): Promise<'open' | 'wrong' | 'spent'> {
    const held = this.#held
    if (held === null) return 'open'
    // Counted before it is tried, so that closing the page in between gains nothing.
    this.#write({ ...held, wrong: held.wrong + 1 })
    const { unsealed } = await import('../protocol/vault')
    const key = await unsealed(pin, held.seal)
    if (key === null) return held.wrong + 1 >= TRIES ? 'spent' : 'wrong'
    this.#write({ ...held, wrong: 0 })
    this.#key = key
    this.locked = false
    for (const resolve of this.#opened.splice(0)) resolve(key)
    return 'open'
  }

  async choose(pin: string, minutes: number): Promise<void> {
    const { sealed } = await import('../protocol/vault')
    const { seal, key } = await sealed(pin)
    this.#write({ seal, minutes, wrong: 0 })
    this.#key = key
    this.changed?.(key)
  }

  wait(minutes: number): void {
    if (this.#held !== null) this.#write({ ...this.#held, minutes })
  }

  lockNow(): void {
    if (this.#held !== null) this.locked = true
  }

  /** No lock any more: it was taken off, or its person left the device. */
  remove(): void {
    this.#write(null)
    this.#key = null
    this.locked = false
    for (const resolve of this.#opened.splice(0)) resolve(null)
    this.changed?.(null)
  }

  #seen(visible: boolean): void {
    if (!visible) {
      this.#hidden ??= Date.now()
      // At once, so that the picture of the page among the open apps shows nothing either.
      if (this.#held?.minutes === 0) this.locked = true
    } else if (this.#hidden !== null) {
      if (this.#held !== null && Date.now() - this.#hidden >= this.#held.minutes * 60_000) this.locked = true
      this.#hidden = null
    }
  }

  #write(held: Held | null): void {
    this.#held = held
    try {
      if (held === null) localStorage.removeItem(KEY)
      else localStorage.setItem(KEY, JSON.stringify(held))
    } catch {
      // A browser that keeps nothing: the lock lasts as long as the page.
    }
  }
}

function read(): Held | null {
  try {
    const held = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Held | null
    return typeof held?.seal?.key === 'string' ? held : null
  } catch {
    return null
  }
}

export const lock = new Lock()
