/** The cache in which the service worker leaves what was shared with the page (worker/sw.ts). */
export const SHARED = 'renraku-shared'

/** Written when all of a share is there. */
export const WHOLE = '/shared/whole'

export interface SharedThings {
  words: string
  files: File[]
}

/**
 * Whether something that was shared waits to be told where it goes. It only looks: whoever opens a cache that was wiped meanwhile
 * makes it anew, and whoever tidies up one that is empty takes it from under a share that is just being put there.
 */
export async function isShared(): Promise<boolean> {
  try {
    return (await caches.match(WHOLE, { cacheName: SHARED })) !== undefined
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
    if (response === undefined || request.url.endsWith(WHOLE)) continue
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
