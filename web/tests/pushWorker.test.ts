import { beforeEach, describe, expect, it, vi } from 'vitest'

/** The worker as a browser starts it: alone, with what the page left in the cache. */
const WORKER = '../worker/sw.ts'
const KEPT = { renewal: 'a secret', key: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA' }

let kept: unknown
let asked: [path: string, body: unknown][]
let answer: () => Promise<Response>
let subscribed: PushSubscriptionOptionsInit[]
let told: unknown[]
let changed: (change: object) => Promise<unknown>

function subscription(endpoint: string) {
  return { endpoint, toJSON: () => ({ endpoint, keys: { p256dh: 'P', auth: 'A' } }), unsubscribe: () => expect.unreachable() }
}

beforeEach(async () => {
  kept = KEPT
  asked = []
  answer = async () => new Response(null, { status: 204 })
  subscribed = []
  told = []
  const heard = new Map<string, (event: object) => void>()
  vi.stubGlobal('__PAGE__', { version: '1', files: [] })
  vi.stubGlobal('navigator', { language: 'ja' })
  vi.stubGlobal('caches', {
    match: async (path: string, { cacheName }: { cacheName: string }) =>
      path === '/push/renewal' && cacheName === 'renraku-push' && kept !== undefined ? new Response(JSON.stringify(kept)) : undefined,
  })
  vi.stubGlobal('fetch', (path: string, { body }: { body: string }) => {
    asked.push([path, JSON.parse(body)])
    return answer()
  })
  vi.stubGlobal('self', {
    location: { origin: 'https://chat.example' },
    addEventListener: (kind: string, listen: (event: object) => void) => void heard.set(kind, listen),
    clients: { matchAll: async () => [{ postMessage: (words: unknown) => told.push(words) }] },
    registration: {
      pushManager: {
        subscribe: async (options: PushSubscriptionOptionsInit) => {
          subscribed.push(options)
          return subscription('https://push.example/made')
        },
      },
    },
  })
  vi.resetModules()
  await import(/* @vite-ignore */ WORKER)
  changed = (change) => new Promise((done) => heard.get('pushsubscriptionchange')!({ ...change, waitUntil: done })).then((all) => all)
})

const body = (endpoint: string) => ({ renewal: KEPT.renewal, token: endpoint, p256dh: 'P', auth: 'A' })

describe('a subscription that the browser replaces while no page is open', () => {
  it('is told to the server by the secret of the registration', async () => {
    await changed({ oldSubscription: null, newSubscription: subscription('https://push.example/new') })
    expect(asked).toEqual([['/api/push/renewal', body('https://push.example/new')]])
    expect(subscribed).toEqual([])
  })

  it('is made anew with the options of the old one, or with the key that the page kept', async () => {
    const options = { userVisibleOnly: true, applicationServerKey: new ArrayBuffer(65) }
    await changed({ oldSubscription: { options }, newSubscription: null })
    await changed({ oldSubscription: null, newSubscription: null })
    expect(subscribed).toEqual([options, { userVisibleOnly: true, applicationServerKey: KEPT.key }])
    expect(asked).toEqual([['/api/push/renewal', body('https://push.example/made')], ['/api/push/renewal', body('https://push.example/made')]])
  })

  it('stays without a line, and open pages hear of it in any case', async () => {
    answer = () => Promise.reject(new TypeError('offline'))
    await changed({ oldSubscription: null, newSubscription: subscription('https://push.example/new') })
    answer = async () => new Response('{}', { status: 404 })
    await changed({ oldSubscription: null, newSubscription: subscription('https://push.example/newer') })
    expect(told).toEqual([{ resubscribed: true }, { resubscribed: true }])
  })

  it('is nobody’s where nobody is signed in', async () => {
    kept = undefined
    await changed({ oldSubscription: null, newSubscription: subscription('https://push.example/new') })
    await changed({ oldSubscription: null, newSubscription: null })
    expect([asked, subscribed]).toEqual([[], []])
  })
})
