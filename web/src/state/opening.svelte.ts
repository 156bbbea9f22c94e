import { SvelteMap } from 'svelte/reactivity'
import type { Api } from '../protocol/api'
import { failure } from '../protocol/http'
import { Problem } from '../protocol/problem'
import type { Attachment, AttachmentAddress, AttachmentId } from '../protocol/types'
import { text } from '../text/words.svelte'

/** As much of a text as one reads on a screen. */
const TEXT = 64 * 1024

export type Act = 'saving' | 'withdrawing'

/** Saving, reading and withdrawing files. Addresses live minutes, so each act asks for one of its own. */
export class Opening {
  #acts = new SvelteMap<AttachmentId, Act>()
  #said = new SvelteMap<AttachmentId, string>()
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  act(id: AttachmentId): Act | undefined {
    return this.#acts.get(id)
  }

  /** Why the last act did not work. */
  said(id: AttachmentId): string {
    return this.#said.get(id) ?? ''
  }

  /** The best that may be had from here; or `flattened`: pictures of its pages. */
  save({ id, name, kind }: Attachment, only?: 'flattened'): Promise<void> {
    return this.#do(id, 'saving', async () => {
      const address = await this.#address(id)
      if (address.refused !== undefined && only === undefined) throw new Told(address.refused[text.language])
      const { original, passed, sanitized, flattened } = address.addresses ?? {}
      const path = only === undefined ? (original ?? passed ?? sanitized) : flattened
      if (path === undefined) throw new Told(text.words.file.notReady)
      // The browser saves by itself and cannot tell the page that it did not work: so one byte is tried first.
      await fetched(path, 0)
      const link = document.createElement('a')
      link.href = path
      link.download = kind === 'photo' && path !== original ? asJpeg(name) : name
      link.click()
    })
  }

  withdraw(id: AttachmentId): Promise<void> {
    return this.#do(id, 'withdrawing', () => this.#api.withdraw(id))
  }

  /** The beginning of a document's text; null, with `said`, when it cannot be had. */
  async read(id: AttachmentId): Promise<{ text: string; whole: boolean } | null> {
    let read: { text: string; whole: boolean } | null = null
    await this.#do(id, null, async () => {
      const { addresses } = await this.#address(id)
      if (addresses?.text === undefined) throw new Told(text.words.file.notReady)
      const response = await fetched(addresses.text, TEXT - 1)
      const bytes = await response.arrayBuffer()
      const all = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? bytes.byteLength)
      const whole = all <= bytes.byteLength
      // `stream`: a character that the range cut in two is left out.
      read = { text: new TextDecoder().decode(bytes, { stream: !whole }), whole }
    })
    return read
  }

  async #address(id: AttachmentId): Promise<AttachmentAddress> {
    const [address] = (await this.#api.addresses([id])).value
    if (address === undefined) throw new Told(text.words.file.gone)
    return address
  }

  async #do(id: AttachmentId, act: Act | null, work: () => Promise<void>): Promise<void> {
    if (act !== null && this.#acts.has(id)) return
    if (act !== null) this.#acts.set(id, act)
    this.#said.delete(id)
    try {
      await work()
    } catch (error) {
      const said = error instanceof Problem ? text.problem(error) : error instanceof Told ? error.message : ''
      this.#said.set(id, said === '' ? text.words.file.unreachable : said)
    } finally {
      if (act !== null) this.#acts.delete(id)
    }
  }
}

/** What the server made of a photo is a JPEG, whatever the phone's own was. */
function asJpeg(name: string): string {
  return /\.jpe?g$/i.test(name) ? name : `${name.replace(/\.[A-Za-z0-9]{1,5}$/, '')}.jpg`
}

class Told extends Error {}

/** Bytes 0 to `last` of what an address leads to. Rejects if there is nothing. */
async function fetched(path: string, last: number): Promise<Response> {
  const response = await fetch(path, {
    headers: { range: `bytes=0-${last}` },
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
  })
  // 416: an empty file has no first byte.
  if (response.ok || response.status === 416) return response
  throw failure(await response.json().catch(() => null), response.status)
}
