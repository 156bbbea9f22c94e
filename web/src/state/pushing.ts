import type { Api } from '../protocol/api'
import { text } from '../text/words.svelte'

/** Read by the worker (worker/sw.ts). Like every cache of a person's it goes with them (`eraseDevice`). */
const RENEWAL = 'renraku-push'

/** Whether this browser can be pushed at all: on an iPhone only a page on the home screen can. */
export function canBePushed(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis && isSecureContext
}

/** An iPhone or iPad whose page was opened in the browser and not from the home screen. */
export function wantsHomeScreen(): boolean {
  const apple = /iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1)
  return apple && !matchMedia('(display-mode: standalone)').matches
}

/**
 * Subscribes this device and tells the server where it is pushed. Made anew where the server has another key. Rejects with what
 * the browser or the server says; null where browsers cannot be pushed.
 */
export async function subscribe(api: Api): Promise<ServiceWorkerRegistration | null> {
  if (!canBePushed() || Notification.permission !== 'granted') return null
  const { key, on } = await webKey(api)
  if (!on) return null
  const registration = await navigator.serviceWorker.ready
  await register(api, await subscription(key, registration))
  listen(api, registration)
  return registration
}

/** `on`: whether the server pushes at all. Where it does not, the browser's push service need not hear of this device. */
export function webKey(api: Api): Promise<{ key: string; on: boolean }> {
  return api.call('/api/push/web-key')
}

export async function subscription(text: string, registration: ServiceWorkerRegistration): Promise<PushSubscription> {
  const key = bytes(text)
  const before = await registration.pushManager.getSubscription()
  if (before !== null && same(before.options.applicationServerKey, key)) return before
  await before?.unsubscribe()
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
}

/** One tab after the other: each registration voids the secret before it, and all of them hear of a new subscription at once. */
export async function register(api: Api, found: PushSubscription): Promise<void> {
  const { endpoint, keys } = found.toJSON()
  const body = { platform: 'web_push', token: endpoint, p256dh: keys?.['p256dh'], auth: keys?.['auth'], language: text.language }
  await navigator.locks.request('renraku:push', async () => {
    const { renewal } = await api.call<{ renewal?: string | null }>('/api/devices/me/push', { method: 'PUT', body })
    // A browser that keeps nothing: then the server learns of another subscription when the page is next opened.
    await keep(api, renewal ?? null, found.options.applicationServerKey).catch(() => undefined)
  })
}

/** What the worker needs to go on alone: the secret of this registration, and the key of the server to subscribe with. */
async function keep(api: Api, renewal: string | null, key: ArrayBuffer | null): Promise<void> {
  const left = () => api.tokens.ready(0) === null
  // Who signed out while the answer was on its way leaves nothing behind, and nothing is taken from whoever sits here now.
  if (left()) return
  if (renewal !== null && key !== null) {
    await (await caches.open(RENEWAL)).put('/push/renewal', new Response(JSON.stringify({ renewal, key: base64url(key) })))
    if (!left()) return
  }
  await caches.delete(RENEWAL)
}

/** Neither the browser nor the server wakes this device any more. */
export async function unsubscribe(api: Api): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  const found = await registration?.pushManager?.getSubscription()
  const done = [found?.unsubscribe(), globalThis.caches?.delete(RENEWAL), api.call('/api/devices/me/push', { method: 'DELETE' })]
  await Promise.allSettled(done)
}

let listening: Api | null = null

/** The worker says when the browser gave another subscription. */
function listen(api: Api, registration: ServiceWorkerRegistration): void {
  const first = listening === null
  listening = api
  if (!first) return
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ resubscribed?: boolean } | null>) => {
    if (data?.resubscribed !== true || listening === null) return
    const now = listening
    void webKey(now).then(({ key }) => subscription(key, registration)).then((found) => register(now, found)).catch(() => undefined)
  })
}

function base64url(key: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(key))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(raw, (character) => character.charCodeAt(0))
}

function same(before: ArrayBuffer | null, key: Uint8Array): boolean {
  if (before === null || before.byteLength !== key.length) return false
  const had = new Uint8Array(before)
  return key.every((byte, index) => byte === had[index])
}
