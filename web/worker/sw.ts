/**
 * The service worker: the page itself opens without the server, and Android's share sheet reaches it. It keeps the
 * files of the build and what was shared, and nothing else: no answer of the API, no photo, no address of a file. It shows what is
 * pushed, and tells the server when the browser is pushed to by another address. It imports nothing, because one file with a
 * name that never changes is what browsers ask the server for.
 */

export {}
declare const self: ServiceWorkerGlobalScope
/** Put in by the build: every file of the page with the hash of its content, and a hash of them all. */
declare const __PAGE__: { version: string; files: [path: string, integrity: string][] }

const PREFIX = 'renraku-page-'
const CACHE = PREFIX + __PAGE__.version
/** What was shared with the page and has not been sent on: see src/state/shared.ts. */
const SHARED = 'renraku-shared'
const WHOLE = '/shared/whole'
const SHARE = '/share'
/** How this worker tells the server where the device is pushed: see src/state/pushing.ts. */
const PUSH = 'renraku-push'
const RENEWAL = '/push/renewal'
/** Of all that waits. More is no share from a gallery; the disk of a phone is not ours to fill. */
const MOST_FILES = 40
const MOST_BYTES = 1024 ** 3
const MOST_CHARACTERS = 20_000

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('message', ({ data }) => {
  // Only ever on a person's word: nothing is exchanged under their hands.
  if (data === 'take over') void self.skipWaiting()
})
self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (origin !== self.location.origin) return
  if (request.method === 'POST' && pathname === SHARE) event.respondWith(isShare(request) ? shared(request) : Response.redirect('/', 303))
  else if (request.method !== 'GET') return
  else if (request.mode === 'navigate') {
    if (pathname === '/' || pathname === SHARE) event.respondWith(page(request))
  } else if (__PAGE__.files.some(([path]) => path === pathname) || pathname.startsWith('/assets/')) {
    event.respondWith(asset(request))
  }
})

self.addEventListener('push', (event) => event.waitUntil(inTurn(() => pushed(said(event.data)))))
self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(opened(event.notification.data as Told | null))
})
self.addEventListener('pushsubscriptionchange', (event) => (event as ExtendableEvent).waitUntil(renewed(event as SubscriptionChange)))

/** All or nothing, and each file only if it is the one that was built: a server in the middle of an upgrade is refused. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll(__PAGE__.files.map(([path, integrity]) => new Request(path, { integrity, cache: 'no-cache' })))
}

/** The version before stays: tabs that still show it load their parts from there. */
async function activate(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE)
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)))
  await self.clients.claim()
}

async function page(request: Request): Promise<Response> {
  return (await (await caches.open(CACHE)).match('/')) ?? fetch(request)
}

async function asset(request: Request): Promise<Response> {
  const own = await (await caches.open(CACHE)).match(request, { ignoreVary: true })
  return own ?? (await caches.match(request, { ignoreVary: true })) ?? fetch(request)
}

/**
 * The share sheet opens the page as a document of its own, and comes from nowhere. A form of another site says where it is
 * from, unless it keeps that to itself (`no-referrer`): then it looks like the sheet's, and `Sec-Fetch-Site` is not shown to
 * a worker. So nothing that is taken here goes anywhere before a person has seen it and said where to.
 */
function isShare({ mode, destination, referrer }: Request): boolean {
  const elsewhere = /^https?:/.test(referrer) && new URL(referrer).origin !== self.location.origin
  return mode === 'navigate' && destination === 'document' && !elsewhere
}

/** Kept until somebody who is signed in says where it goes. Without a line, and without the server. */
async function shared(request: Request): Promise<Response> {
  try {
    const form = await request.formData()
    const cache = await caches.open(SHARED)
    const stamp = Date.now()
    const words = ['title', 'text', 'url'].flatMap((name) => {
      const value = form.get(name)
      return typeof value === 'string' && value.trim() !== '' ? [value.trim()] : []
    })
    const files = form.getAll('files').filter((value): value is File => value instanceof File && value.size > 0)
    const before = await waiting(cache)
    const taken = fitting(files, before.files)
    const entries: Promise<void>[] = taken.map((file, index) => {
      const headers = {
        'content-type': file.type || 'application/octet-stream',
        'x-name': encodeURIComponent(file.name),
        'x-size': String(file.size),
      }
      return cache.put(`/shared/${stamp}/${String(index).padStart(3, '0')}`, new Response(file, { headers }))
    })
    const said = [...new Set(words)].join('\n')
    const kept = said.slice(0, Math.max(0, MOST_CHARACTERS - before.characters))
    if (kept !== '') entries.push(cache.put(`/shared/${stamp}/words`, new Response(kept, { headers: { 'x-characters': String(kept.length) } })))
    await Promise.all(entries)
    // The page looks for this alone (src/state/shared.ts): what it finds then is all there.
    if (entries.length > 0) await cache.put(WHOLE, new Response(''))
    // The page says what was left out.
    const [lost, cut] = [files.length - taken.length, said.length - kept.length]
    return Response.redirect(`/#/share${lost + cut > 0 ? `/cut-${lost}-${cut}` : ''}`, 303)
  } catch {
    // No room on the device: the page says that nothing was taken.
    return Response.redirect('/#/share/failed', 303)
  }
}

/** What was shared before and has not been sent on: the sizes of its files, and how many characters its words have. */
async function waiting(cache: Cache): Promise<{ files: number[]; characters: number }> {
  const found = { files: [] as number[], characters: 0 }
  for (const key of await cache.keys()) {
    if (key.url.endsWith(WHOLE)) continue
    const headers = (await cache.match(key))?.headers
    if (key.url.endsWith('/words')) found.characters += Number(headers?.get('x-characters') ?? 0)
    else found.files.push(Number(headers?.get('x-size') ?? 0))
  }
  return found
}

// --- pushes: docs/mobile.md ------------------------------------------------------------------------------------

/** What a push says, once the browser has decrypted it. An organization that shows nothing sends fixed words. */
interface Said {
  id?: string
  kind?: string
  badge?: number
  room?: string
  seq?: number
  upto?: number
  urgent?: boolean
  title?: string
  body?: string
}

/** What a notification leads to. */
interface Told {
  room?: string
  seq?: number
}

interface SubscriptionChange extends ExtendableEvent {
  readonly oldSubscription: PushSubscription | null
  readonly newSubscription: PushSubscription | null
}

const FIXED = navigator.language.startsWith('ja')
  ? { title: '連絡', body: '新しいメッセージがあります' }
  : { title: 'Renraku', body: 'You have a new message' }

/** Whoever can push to us can say anything: only what has the right form is taken. */
function said(data: PushMessageData | null): Said {
  try {
    const found: unknown = data?.json()
    if (typeof found !== 'object' || found === null) return {}
    const { id, kind, badge, room, seq, upto, urgent, title, body } = found as Record<string, unknown>
    const word = (value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : '')
    const number = (value: unknown) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined)
    return {
      id: word(id), kind: word(kind), room: word(room), title: word(title), body: word(body), urgent: urgent === true,
      ...(number(badge) !== undefined && { badge: number(badge)! }),
      ...(number(seq) !== undefined && { seq: number(seq)! }),
      ...(number(upto) !== undefined && { upto: number(upto)! }),
    }
  } catch {
    return {}
  }
}

let before: Promise<unknown> = Promise.resolve()

/** One push after the other: Chromium drops a notification that is just being shown while something asks which ones stand there. */
function inTurn(work: () => Promise<void>): Promise<void> {
  const done = before.then(work)
  before = done.catch(() => undefined)
  return done
}

/** A notification for every push, or the browser takes the subscription away; what was read elsewhere goes instead. */
async function pushed(push: Said): Promise<void> {
  const { badge, room, seq } = push
  // Some browsers refuse it to pages that are not installed: then the page's title says it.
  if (badge !== undefined) await (badge > 0 ? navigator.setAppBadge?.(badge) : navigator.clearAppBadge?.())?.catch(() => undefined)
  if (push.kind === 'clear') await clear(room ?? '', push.upto ?? Number.MAX_SAFE_INTEGER)
  else if (push.kind !== 'badge') await tell(push)
  // The page on which one tries notifications waits for this.
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage({ pushed: push.id ?? '', room, seq })
}

async function tell({ room, seq, urgent, title, body }: Said): Promise<void> {
  const tag = tagOf(room)
  const before = (await self.registration.getNotifications({ tag }))[0]
  const known = seq !== undefined && ((before?.data as Told | null)?.seq ?? -1) >= seq
  // `renotify` is not in every browser's types yet. The page may have told of the same message: that rings once.
  const options: NotificationOptions & { renotify: boolean } = {
    body: body || FIXED.body, tag, icon: '/icons/icon-192.png', requireInteraction: urgent === true, renotify: !known,
    data: { ...(room && { room }), ...(seq !== undefined && { seq }) } satisfies Told,
  }
  await self.registration.showNotification(title || FIXED.title, options)
}

async function clear(room: string, upto: number): Promise<void> {
  for (const shown of await self.registration.getNotifications({ tag: tagOf(room) })) {
    if (((shown.data as Told | null)?.seq ?? 0) <= upto) shown.close()
  }
}

/** One for each room, the same for what the page shows (src/state/notifying.svelte.ts). */
function tagOf(room: string | undefined): string {
  return `renraku-${room || 'many'}`
}

/** The page at the right message: one that is open, or a new one. */
async function opened(told: Told | null): Promise<void> {
  const room = told?.room
  const address = room ? `/#/rooms/${encodeURIComponent(room)}${told.seq === undefined ? '' : `?message=${told.seq}`}` : '/'
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ visibilityState }) => visibilityState === 'visible') ?? pages[0]
  try {
    if (page !== undefined) {
      await page.focus().catch(() => undefined)
      if (room) await page.navigate(address)
      return
    }
  } catch {
    // A page that another version of this worker holds cannot be led anywhere.
  }
  await self.clients.openWindow(address)
}

/**
 * The browser made the subscription void. The server has to hear of the new one now: a phone that sleeps opens no page. Where that fails,
 * the page tells it when it is next opened; the new subscription stays for it.
 */
async function renewed(change: SubscriptionChange): Promise<void> {
  try {
    await renew(change)
  } catch {
    // No line, or the browser's own push service has none.
  }
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage({ resubscribed: true })
}

/** By the secret that src/state/pushing.ts keeps here: it is good for this and nothing else. A worker has no session. */
async function renew({ oldSubscription, newSubscription }: SubscriptionChange): Promise<void> {
  const kept = (await (await caches.match(RENEWAL, { cacheName: PUSH }))?.json()) as { renewal: string; key: string } | undefined
  // Some browsers name neither of the two.
  const options = oldSubscription?.options ?? (kept && { userVisibleOnly: true, applicationServerKey: kept.key })
  const found = newSubscription ?? (options && (await self.registration.pushManager.subscribe(options)))
  if (!found || !kept) return
  const { endpoint, keys } = found.toJSON()
  const body = JSON.stringify({ renewal: kept.renewal, token: endpoint, p256dh: keys?.['p256dh'], auth: keys?.['auth'] })
  const headers = { 'content-type': 'application/json' }
  await fetch('/api/push/renewal', { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) })
}

/** Those of them, from the first on, for which there is room beside what waits. */
function fitting(files: readonly File[], sizes: readonly number[]): File[] {
  let bytes = sizes.reduce((sum, size) => sum + size, 0)
  const beyond = files.findIndex((file, index) => sizes.length + index >= MOST_FILES || (bytes += file.size) > MOST_BYTES)
  return beyond < 0 ? [...files] : files.slice(0, beyond)
}
