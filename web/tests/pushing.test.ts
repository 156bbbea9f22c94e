import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Api } from '../src/protocol/api'

vi.hoisted(() => vi.stubGlobal('document', { documentElement: {} }))
const { canBePushed, subscribe, unsubscribe } = await import('../src/state/pushing')

const KEY = 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'

/** A browser's push manager, as far as the page speaks with it; and what the server was asked. */
class Browser {
  held: { key: string; endpoint: string } | null = null
  made = 0
  ended = 0
  on = true
  asked: [method: string, path: string, body: unknown][] = []
  /** What the worker finds, by the name of its cache. */
  readonly kept = new Map<string, Map<string, unknown>>()
  renewal: string | null = 'a secret'
  token: string | null = 't'
  putting: () => void = () => undefined

  readonly pushManager = {
    getSubscription: async () => (this.held === null ? null : this.#subscription()),
    subscribe: async (options: { userVisibleOnly: boolean; applicationServerKey: Uint8Array }) => {
      expect(options.userVisibleOnly).toBe(true)
      this.made += 1
      this.held = { key: Buffer.from(options.applicationServerKey).toString('base64url'), endpoint: `https://push.example/${this.made}` }
      return this.#subscription()
    },
  }

  readonly api = new Api(
    'http://server',
    { ready: () => this.token, token: async () => 't', replace: async () => 't' },
    async (path, options) => {
      const { pathname } = new URL(String(path))
      this.asked.push([options?.method ?? 'GET', pathname, options?.body == null ? null : JSON.parse(String(options.body))])
      const answer = pathname === '/api/push/web-key' ? { key: KEY, on: this.on } : { renewal: this.renewal }
      return new Response(JSON.stringify(answer))
    },
  )

  install(permission = 'granted'): void {
    const registration = { pushManager: this.pushManager }
    vi.stubGlobal('navigator', {
      userAgent: 'test', maxTouchPoints: 0,
      locks: { request: (_name: string, task: () => Promise<void>) => task() },
      serviceWorker: { ready: Promise.resolve(registration), getRegistration: async () => registration, addEventListener: () => undefined },
    })
    vi.stubGlobal('caches', {
      open: async (name: string) => {
        const cache = this.kept.get(name) ?? new Map<string, unknown>()
        this.kept.set(name, cache)
        return {
          put: async (path: string, response: Response) => {
            cache.set(path, await response.json())
            this.putting()
          },
        }
      },
      delete: async (name: string) => this.kept.delete(name),
    })
    vi.stubGlobal('PushManager', class {})
    vi.stubGlobal('Notification', { permission })
    vi.stubGlobal('isSecureContext', true)
  }

  #subscription() {
    const { key, endpoint } = this.held!
    return {
      options: { applicationServerKey: Uint8Array.from(Buffer.from(key, 'base64url')).buffer },
      unsubscribe: async () => {
        this.ended += 1
        this.held = null
        return true
      },
      toJSON: () => ({ endpoint, keys: { p256dh: 'P', auth: 'A' } }),
    }
  }
}

let browser: Browser

beforeEach(() => {
  browser = new Browser()
  browser.install()
})

describe('this device', () => {
  it('is subscribed with the key of the server, and the server knows where', async () => {
    expect(canBePushed()).toBe(true)
    expect(await subscribe(browser.api)).not.toBeNull()
    expect(browser.held).toEqual({ key: KEY, endpoint: 'https://push.example/1' })
    const body = { platform: 'web_push', token: 'https://push.example/1', p256dh: 'P', auth: 'A', language: 'ja' }
    expect(browser.asked).toContainEqual(['PUT', '/api/devices/me/push', body])
  })

  it('says so again at the next start, with the same subscription', async () => {
    await subscribe(browser.api)
    await subscribe(browser.api)
    expect(browser.made).toBe(1)
    expect(browser.asked.filter(([method]) => method === 'PUT')).toHaveLength(2)
  })

  it('is subscribed anew where the server has another key', async () => {
    browser.held = { key: Buffer.alloc(65, 4).toString('base64url'), endpoint: 'https://push.example/old' }
    await subscribe(browser.api)
    expect([browser.ended, browser.made]).toEqual([1, 1])
    expect(browser.held?.key).toBe(KEY)
  })

  it('is left alone where the server pushes nobody, or its person does not want it', async () => {
    browser.on = false
    expect(await subscribe(browser.api)).toBeNull()
    browser.install('default')
    expect(await subscribe(browser.api)).toBeNull()
    expect([browser.made, browser.asked.filter(([method]) => method === 'PUT')]).toEqual([0, []])
  })

  it('is woken by nobody once its person is done with it', async () => {
    await subscribe(browser.api)
    await unsubscribe(browser.api)
    expect([browser.held, browser.ended]).toEqual([null, 1])
    expect(browser.asked.at(-1)?.slice(0, 2)).toEqual(['DELETE', '/api/devices/me/push'])
    expect(browser.kept.size).toBe(0)
  })
})

describe('the worker', () => {
  it('finds the secret of the last registration, and the key to subscribe with', async () => {
    await subscribe(browser.api)
    browser.renewal = 'the next secret'
    await subscribe(browser.api)
    expect([...browser.kept].map(([name, cache]) => [name, ...cache])).toEqual([
      ['renraku-push', ['/push/renewal', { renewal: 'the next secret', key: KEY }]],
    ])
  })

  it('finds none that is void, or that its person left behind', async () => {
    await subscribe(browser.api)
    browser.renewal = null
    await subscribe(browser.api)
    expect(browser.kept.size).toBe(0)
    browser.renewal = 'a secret'
    browser.token = null
    await subscribe(browser.api)
    expect(browser.kept.size).toBe(0)
    browser.token = 't'
    browser.putting = () => void (browser.token = null)
    await subscribe(browser.api)
    expect(browser.kept.size).toBe(0)
  })

  it('does without where the browser keeps nothing, and the device is pushed all the same', async () => {
    vi.stubGlobal('caches', { open: () => Promise.reject(new DOMException('', 'SecurityError')) })
    expect(await subscribe(browser.api)).not.toBeNull()
  })
})
