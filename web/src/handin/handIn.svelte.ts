import { newKey } from '../protocol/ids'
import { Problem } from '../protocol/problem'
import { tabRegistry } from '../protocol/sends'
import { Transfers } from '../protocol/transfers'
import { type Entry, keep } from './address'
import { type Asked, begin, deliver, FILES, giveUp, type Handed, look, type Receipt, see } from './api'
import { awake } from './awake'
import { type Line, Lines } from './lines.svelte'
import type { Taken } from './picking'
import { fitting, type Refusal } from './room'
import { sender } from './sender'
import { visitStore } from './store'

export type Phase =
  | 'loading'
  /** Neither the server nor an answer that could be read. */
  | 'unreachable'
  /** The link is good no more, or never was. */
  | 'dead'
  | 'open'
  /** That was all. */
  | 'done'

/** Looking through a file takes seconds; a long film takes minutes. */
const ASK = [2_000, 3_000, 5_000, 10_000, 20_000]

/** One person at the page: what they are asked for, what they handed in, and what became of it. */
export class HandIn {
  phase = $state<Phase>('loading')
  asked = $state.raw<Asked | null>(null)
  /** A PIN was told by phone, and has not been given here. */
  locked = $state(false)
  problem = $state.raw<unknown>(null)
  refused = $state.raw<readonly { name: string; why: Refusal }[]>([])
  skipped = $state(0)
  working = $state(false)
  /** The visit was too long ago; what arrived has arrived. */
  over = $state(false)
  receipt = $state.raw<Receipt | null>(null)
  readonly lines = new Lines()
  readonly #entry: Entry
  #transfers: Transfers<Handed> | null = null
  #beginning: Promise<void> | null = null
  #asking: ReturnType<typeof setTimeout> | undefined
  #asks = 0

  constructor(entry: Entry) {
    this.#entry = entry
    addEventListener('online', () => this.wake())
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.wake())
    addEventListener('beforeunload', (event) => this.lines.unfinished > 0 && event.preventDefault())
    void this.open()
  }

  get hasLink(): boolean {
    return this.#entry.link !== ''
  }

  async open(): Promise<void> {
    this.problem = null
    if (!this.hasLink) {
      this.phase = 'dead'
      return
    }
    this.phase = 'loading'
    try {
      if (this.#entry.visit !== null && (await this.refresh())) await this.#startTransfers()
      else if (this.phase === 'loading') await this.#look()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** With the PIN; true if it was right. */
  async unlock(pin: string): Promise<void> {
    this.working = true
    this.problem = null
    try {
      await this.#begin(pin)
    } catch (error) {
      this.problem = error
      if (error instanceof Problem && error.code === GONE) this.phase = 'dead'
    } finally {
      this.working = false
    }
  }

  async add({ files, skipped }: Taken): Promise<void> {
    this.skipped = skipped
    this.problem = null
    this.over = false
    if (this.asked === null) return
    const left: File[] = []
    for (const file of files) if (!(await this.#again(file))) left.push(file)
    const { fit, refused } = fitting(this.asked, this.lines.counted, left)
    this.refused = refused
    if (fit.length === 0) return
    try {
      await (this.#beginning ??= this.#entry.visit === null ? this.#begin('') : Promise.resolve())
    } catch (error) {
      this.#beginning = null
      this.problem = error
      if (error instanceof Problem && error.code === GONE) this.phase = 'dead'
      return
    }
    for (const file of fit) {
      try {
        this.lines.took(await this.#transfers!.add('', file))
      } catch {
        this.refused = [...this.refused, { name: file.name, why: 'unreadable' }]
      }
    }
  }

  pause(line: Line): void {
    this.#transfers?.pause(line.key)
  }

  resume(line: Line): void {
    this.#transfers?.resume(line.key)
  }

  again(line: Line): void {
    this.#transfers?.again(line.key)
  }

  /** The same file again, after the page was closed; false if it is another one. */
  async pick(line: Line, { files }: Taken): Promise<boolean> {
    const [file] = files
    return file === undefined || ((await this.#transfers?.pick(line.key, file).catch(() => false)) ?? false)
  }

  async remove(line: Line): Promise<void> {
    this.lines.remove(line.key)
    if (line.transfer !== null) await this.#transfers?.cancel(line.key)
    else if (line.handed !== null && this.#entry.visit !== null) await giveUp(this.#entry.visit, `${FILES}/${line.handed.id}`).catch(() => undefined)
  }

  /** 「これで全部です」 */
  async finish(): Promise<void> {
    if (this.#entry.visit === null) return
    this.working = true
    this.problem = null
    try {
      for (const line of this.lines.all) if (line.handed === null || line.handed.state === 'coming') await this.remove(line)
      this.#took(await deliver(this.#entry.visit))
    } catch (error) {
      this.problem = error
      await this.refresh().catch(() => undefined)
    } finally {
      this.working = false
    }
  }

  /** Another delivery by the same link. */
  async more(): Promise<void> {
    this.#leave()
    await this.open()
  }

  /** The line may be there again. */
  wake(): void {
    this.#transfers?.wake()
    if (this.phase === 'unreachable') void this.open()
    else if (this.receipt !== null) this.#askSoon(true)
  }

  /** What the server has; false when the visit is over. */
  async refresh(): Promise<boolean> {
    const { visit } = this.#entry
    if (visit === null) return false
    try {
      this.#took(await see(visit))
      return true
    } catch (error) {
      if (!(error instanceof Problem) || error.passes) throw error
      this.#leave()
      this.over = this.phase !== 'loading'
      if (this.over) await this.open()
      return false
    }
  }

  #leave(): void {
    clearTimeout(this.#asking)
    this.#transfers?.stop()
    this.#transfers = null
    this.#beginning = null
    this.lines.clear()
    this.receipt = null
    this.#keepVisit(null)
  }

  async #look(): Promise<void> {
    const { pin, ...asked } = await look(this.#entry.link)
    this.asked = asked
    this.locked = pin
    this.phase = 'open'
  }

  async #begin(pin: string): Promise<void> {
    this.#keepVisit(await begin(this.#entry.link, pin))
    this.locked = false
    await this.#startTransfers()
  }

  #keepVisit(visit: string | null): void {
    this.#entry.visit = visit
    if (visit === null) this.#entry.key = newKey()
    keep(this.#entry)
  }

  async #startTransfers(): Promise<void> {
    const { visit, key } = this.#entry
    if (visit === null || this.phase === 'done') return
    const tab = newKey()
    const transfers = new Transfers<Handed>({
      user: key,
      tab,
      tabs: tabRegistry(tab),
      store: visitStore(key),
      send: sender(visit, async () => ((await this.refresh()) ? (this.receipt?.files ?? []) : [])),
      giveUp: ({ path }) => void (path && giveUp(visit, path).catch(() => undefined)),
      changed: () => this.#moved(transfers),
    })
    this.#transfers = transfers
    for (const file of await transfers.restore()) this.lines.took(file)
  }

  /** A file that waits to be picked again, after the page was closed. */
  async #again(file: File): Promise<boolean> {
    const key = await this.#transfers?.awaited('', file).catch(() => undefined)
    return key !== undefined && ((await this.#transfers?.pick(key, file)) ?? false)
  }

  #moved(transfers: Transfers<Handed>): void {
    const troubled = this.lines.troubled
    this.lines.moved(transfers)
    awake(this.lines.unfinished > 0)
    // Trouble may be that the link was taken back meanwhile, which the upload's own answer does not tell from others.
    if (this.lines.troubled > troubled) this.#askSoon(true)
  }

  #took(receipt: Receipt): void {
    this.receipt = receipt
    this.asked = receipt
    this.locked = false
    this.lines.took(...receipt.files)
    this.phase = receipt.delivered === null && !receipt.closed ? 'open' : 'done'
    if (this.phase === 'done') this.#transfers?.stop()
    if (receipt.files.some(({ state }) => state === 'waiting')) this.#askSoon(false)
  }

  /** While something is looked through, its end is asked for; less and less often, and not while nobody looks. */
  #askSoon(anew: boolean): void {
    if (anew) this.#asks = 0
    clearTimeout(this.#asking)
    const wait = ASK[Math.min(this.#asks++, ASK.length - 1)]!
    this.#asking = setTimeout(() => {
      if (document.visibilityState === 'visible') this.refresh().catch(() => this.#askSoon(false))
    }, wait)
  }

  #failed(error: unknown): void {
    if (this.phase === 'dead') return
    const gone = error instanceof Problem && !error.passes && error.retryAfter === undefined
    this.problem = error
    this.phase = gone ? 'dead' : 'unreachable'
  }
}

/** docs/errors.md: the link is good no more. */
const GONE = 7101
