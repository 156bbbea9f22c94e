/** How far the browser can be trusted to keep what waits. */
export interface StorageState {
  /** It promises not to delete by itself; null where it cannot be asked (plain http). */
  persisted: boolean | null
  /** Bytes that still fit, as far as it tells. */
  left: number | null
}

/** Asks the browser for its promise; Chromium decides by itself, Firefox asks the person. */
export async function storageState(): Promise<StorageState> {
  const storage = navigator.storage as StorageManager | undefined
  if (storage?.persisted === undefined) return { persisted: null, left: null }
  try {
    const persisted = (await storage.persisted()) || (await storage.persist())
    const { quota, usage } = await storage.estimate()
    return { persisted, left: quota === undefined || usage === undefined ? null : quota - usage }
  } catch {
    return { persisted: null, left: null }
  }
}
