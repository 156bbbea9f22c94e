let held: Promise<WakeLockSentinel | null> | null = null

/** A phone whose screen goes dark stops sending. Asked of the browser while something moves; it may say no. */
export function awake(wanted: boolean): void {
  if (!('wakeLock' in navigator)) return
  if (wanted && held === null && document.visibilityState === 'visible') {
    held = navigator.wakeLock.request('screen').catch(() => null)
    // The browser takes it back when the page is left.
    void held.then((lock) => lock?.addEventListener('release', () => (held = null)))
  } else if (!wanted && held !== null) {
    void held.then((lock) => lock?.release())
    held = null
  }
}
