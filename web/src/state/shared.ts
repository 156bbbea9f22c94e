/** The cache in which the service worker leaves what was shared with the page (worker/sw.ts). */
export const SHARED = 'renraku-shared'

export interface SharedThings {
  words: string
  files: File[]
}

/** Whether something that was shared waits to be told where it goes. */
export async function isShared(): Promise<boolean> {
  try {
    if (!(await caches.has(SHARED))) return false
    if ((await (await caches.open(SHARED)).keys()).length > 0) return true
    // It was wiped while we looked, and looking made it anew.
    await caches.delete(SHARED)
    return false
  } catch {
    return false
  }
}

/** All that was shared, in the order in which it came. */
export async function readShared(): Promise<SharedThings> {
  const cache = await caches.open(SHARED)
  const requests = [...(await cache.keys())].sort((a, b) => (a.url < b.url ? -1 : 1))
  const words: string[] = []
  const files: File[] = []
  for (const request of requests) {
    const response = await cache.match(request)
    if (response === undefined) continue
    if (request.url.endsWith('/words')) {
      words.push(await response.text())
      continue
    }
    const name = decodeURIComponent(response.headers.get('x-name') ?? '') || 'file'
    const blob = await response.blob()
    files.push(new File([blob], name, { type: response.headers.get('content-type') ?? blob.type }))
  }
  return { words: words.join('\n'), files }
}

export async function forgetShared(): Promise<void> {
  await caches.delete(SHARED)
}
