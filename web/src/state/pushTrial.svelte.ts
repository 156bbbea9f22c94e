import type { Api } from '../protocol/api'
import { text } from '../text/words.svelte'
import type { pushing } from '../text/words/pushing'
import { canBePushed, register, subscription, wantsHomeScreen, webKey } from './pushing'

export type Step = keyof typeof pushing.ja.steps
export const STEPS: readonly Step[] = ['browser', 'permission', 'worker', 'server', 'subscription', 'known', 'sent', 'arrived']

interface Trial {
  id: string
  outcome: string
  reason: string
}

/** What stopped at a step, and what to do about it. */
class Stopped extends Error {
  readonly how: string
  constructor(how: string) {
    super(how)
    this.how = how
  }
}

const ARRIVES = 20_000
const STARTS = 10_000

/** A notification to this very device, step by step. */
export class PushTrial {
  /** The step at which it is, or stopped. */
  at = $state(-1)
  how = $state('')
  running = $state(false)
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  get arrived(): boolean {
    return this.at === STEPS.length
  }

  async run(words: typeof pushing.ja): Promise<void> {
    if (this.running) return
    this.running = true
    this.at = 0
    this.how = ''
    try {
      await this.#steps(words)
    } catch (error) {
      this.how = error instanceof Stopped ? error.how : text.anyProblem(error, words.knownHow(''))
    } finally {
      this.running = false
    }
  }

  async #steps(words: typeof pushing.ja): Promise<void> {
    if (wantsHomeScreen()) throw new Stopped(words.iphone)
    if (!canBePushed()) throw new Stopped(words.browserHow)
    this.at = 1
    if ((await Notification.requestPermission()) !== 'granted') throw new Stopped(words.permissionHow)
    this.at = 2
    const registration = await within(navigator.serviceWorker.ready, STARTS)
    if (registration === null) throw new Stopped(words.workerHow)
    this.at = 3
    const { key, on } = await webKey(this.#api)
    if (!on) throw new Stopped(words.serverHow)
    this.at = 4
    const found = await subscription(key, registration).catch((error: Error) => {
      throw new Stopped(words.subscriptionHow(error.name))
    })
    this.at = 5
    await register(this.#api, found).catch((error: unknown) => {
      throw new Stopped(words.knownHow(text.anyProblem(error, '')))
    })
    this.at = 6
    const heard = new Set<string>()
    const hear = ({ data }: MessageEvent<{ pushed?: string } | null>) => void heard.add(data?.pushed ?? '')
    navigator.serviceWorker.addEventListener('message', hear)
    try {
      const trial = await this.#api.call<Trial>('/api/devices/me/push/test', { method: 'POST', body: {} })
      if (trial.outcome !== 'accepted') throw new Stopped(words.sentHow(trial.outcome, trial.reason))
      this.at = 7
      const end = Date.now() + ARRIVES
      while (!heard.has(trial.id)) {
        if (Date.now() > end) throw new Stopped(words.arrivedHow)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      this.at = STEPS.length
    } finally {
      navigator.serviceWorker.removeEventListener('message', hear)
    }
  }
}

function within<T>(promise: Promise<T>, time: number): Promise<T | null> {
  return Promise.race([promise, new Promise<null>((resolve) => setTimeout(() => resolve(null), time))])
}
