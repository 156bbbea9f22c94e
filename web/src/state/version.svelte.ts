/** Of the protocol: what this page speaks (docs/protocol.md, section 2). */
const SPOKEN = 1
/** A server that was renewed is asked for its page by everybody who comes back: not all in the same second. */
const SPREAD = 30_000
const AGAIN = 10 * 60_000

/** The page as it is kept on the device, and the newer one that waits there for a person's word. */
class Version {
  /** A newer page is on the device. */
  waiting = $state(false)
  /** The server speaks what this page does not know. */
  misfit = $state(false)
  /** Whether this page opens without the server. */
  kept = $state(false)
  #registration: ServiceWorkerRegistration | null = null
  #asked = 0
  #reloading = false

  /** Browsers keep a page only where its address is safe: https, or this very machine. */
  async register(): Promise<void> {
    if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
    const { serviceWorker } = navigator
    let controlled = serviceWorker.controller !== null
    serviceWorker.addEventListener('controllerchange', () => {
      if (this.#reloading) location.reload()
      // Another tab was told to take the newer one; this one stays as it is until somebody says so here.
      else if (controlled) this.waiting = true
      controlled = true
    })
    try {
      const registration = (this.#registration = await serviceWorker.register('/sw.js', { updateViaCache: 'none' }))
      this.#look(registration.waiting)
      registration.addEventListener('updatefound', () => this.#watch(registration.installing))
      this.#watch(registration.installing)
      await serviceWorker.ready
      this.kept = true
    } catch {
      // Switched off, or no room: the page works as it does from the server.
    }
  }

  /** A connection is there: `protocol` is what the server speaks. */
  met(protocol: number): void {
    this.misfit = protocol !== SPOKEN
    if (this.#registration === null || Date.now() - this.#asked < AGAIN) return
    const first = this.#asked === 0
    this.#asked = Date.now()
    // The browser itself asked when the page was opened.
    if (!first || this.misfit) this.ask(this.misfit ? 0 : SPREAD * Math.random())
  }

  ask(after = 0): void {
    setTimeout(() => void this.#registration?.update().catch(() => undefined), after)
  }

  /** On a person's word: the newer page takes over, and this tab shows it. */
  take(): void {
    const waiting = this.#registration?.waiting
    if (!waiting) {
      location.reload()
      return
    }
    this.#reloading = true
    waiting.postMessage('take over')
  }

  #watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') this.#look(this.#registration?.waiting ?? null)
    })
  }

  #look(worker: ServiceWorker | null): void {
    // Without a page that is controlled it is the first one: nothing newer than what is shown.
    if (worker !== null && navigator.serviceWorker.controller !== null) this.waiting = true
  }
}

export const version = new Version()
