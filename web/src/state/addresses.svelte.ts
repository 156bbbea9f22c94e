import { untrack } from 'svelte'
import { SvelteMap } from 'svelte/reactivity'
import type { Api } from '../protocol/api'
import type { AttachmentAddress, AttachmentId } from '../protocol/types'

/** The protocol's limit of one question. */
const BATCH = 100
/** An address that dies while the picture loads is worth nothing. */
const MARGIN = 60_000

export type AddressState =
  | { state: 'asked' }
  | { state: 'known'; address: AttachmentAddress; until: number }
  | { state: 'failed' }

/** Where photos may be fetched: short-lived permissions, asked for in batches when a photo comes into sight. */
export class Addresses {
  #known = new SvelteMap<AttachmentId, AddressState>()
  #wanted = new Set<AttachmentId>()
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #api: Api
  readonly #kept: (id: AttachmentId) => Promise<string | null>

  /** `kept`: the small picture on this device, for want of the server's. */
  constructor(api: Api, kept: (id: AttachmentId) => Promise<string | null> = async () => null) {
    this.#api = api
    this.#kept = kept
  }

  get(id: AttachmentId): AddressState | undefined {
    return this.#known.get(id)
  }

  want(ids: AttachmentId[]): void {
    // Untracked: whoever asks in an effect would ask again for each answer, without end while there is no line.
    for (const id of ids) {
      const known = untrack(() => this.#known.get(id))
      if (known !== undefined && isKept(known)) continue
      if (known?.state === 'asked' || (known?.state === 'known' && known.until > Date.now())) continue
      if (known?.state !== 'known') this.#known.set(id, { state: 'asked' })
      this.#wanted.add(id)
    }
    if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => void this.#ask(), 10)
  }

  /** It has another rendition now, or the address turned out to be dead. */
  renew(id: AttachmentId): void {
    if (!this.#known.delete(id)) return
    this.want([id])
  }

  /** The network is back. */
  wake(): void {
    for (const [id, known] of this.#known) if (isKept(known)) this.#wanted.add(id)
    this.want([...this.#known].flatMap(([id, known]) => (known.state === 'failed' ? [id] : [])))
  }

  async #ask(): Promise<void> {
    this.#timer = undefined
    const ids = [...this.#wanted].slice(0, BATCH)
    for (const id of ids) this.#wanted.delete(id)
    if (this.#wanted.size > 0) this.#timer = setTimeout(() => void this.#ask(), 10)
    try {
      const { value, time } = await this.#api.addresses(ids)
      const skew = time === null ? 0 : time - Date.now()
      const missing = new Set(ids)
      for (const address of value) {
        missing.delete(address.id)
        this.#known.set(address.id, { state: 'known', address, until: address.expires - skew - MARGIN })
      }
      for (const id of missing) this.#known.set(id, { state: 'failed' })
    } catch {
      for (const id of ids) {
        const known = this.#known.get(id)
        if (known !== undefined && isKept(known)) continue
        this.#known.set(id, { state: 'failed' })
        void this.#fromDevice(id)
      }
    }
  }

  async #fromDevice(id: AttachmentId): Promise<void> {
    const url = await this.#kept(id)
    if (url === null || this.#known.get(id)?.state !== 'failed') return
    const address = { id, name: '', addresses: { thumbnail: url, preview: url }, expires: 0 }
    this.#known.set(id, { state: 'known', address, until: 0 })
  }
}

function isKept(known: AddressState): boolean {
  return known.state === 'known' && known.until === 0
}
