import type { Transfer } from '../protocol/transfer'
import type { Transfers } from '../protocol/transfers'
import type { Handed } from './api'

/** One file as the page shows it: on its way from here, at the server, or both. */
export interface Line {
  key: string
  name: string
  size: number
  transfer: Transfer | null
  handed: Handed | null
}

const MOVES = ['waiting', 'moving', 'retrying']

/** All files of a visit, in the order in which they were picked, whatever became of them. */
export class Lines {
  all = $state.raw<readonly Line[]>([])
  /** On their way by themselves: closing the page would stop them. */
  readonly unfinished = $derived(this.all.filter(({ transfer }) => transfer !== null && MOVES.includes(transfer.state)).length)
  /** Nothing moves them but the person. */
  readonly stuck = $derived(this.all.filter((line) => !arrived(line) && !MOVES.includes(line.transfer?.state ?? '')).length)
  readonly troubled = $derived(this.all.filter(({ transfer }) => transfer?.state === 'retrying' || transfer?.state === 'failed').length)
  readonly arrived = $derived(this.all.filter(arrived).length)
  readonly offline = $derived(this.all.some(({ transfer }) => transfer?.state === 'retrying'))
  /** What counts against the link's limits. */
  readonly counted = $derived(this.all.filter(({ transfer, handed }) => transfer?.state !== 'failed' && handed?.state !== 'refused'))

  took(...found: (Transfer | Handed)[]): void {
    const all = [...this.all]
    for (const one of found) {
      const fresh: Line =
        'key' in one
          ? { key: one.key, name: one.name, size: one.size, transfer: one, handed: null }
          : { key: one.id, name: one.name, size: one.size, transfer: null, handed: one }
      const known = all.findIndex((line) => line.key === fresh.key || (idOf(line) !== undefined && idOf(line) === idOf(fresh)))
      const line = all[known]
      if (line === undefined) all.push(fresh)
      else if (fresh.transfer !== null) all[known] = { ...line, key: fresh.key, transfer: fresh.transfer }
      else all[known] = { ...line, name: fresh.name, handed: fresh.handed }
    }
    this.all = all
  }

  /** What is whole at the server needs nothing here any more. */
  moved(transfers: Transfers<Handed>): void {
    this.all = this.all.map((line) => {
      if (line.transfer === null) return line
      const transfer = transfers.get(line.key) ?? null
      if (transfer?.state !== 'ready') return { ...line, transfer }
      void transfers.forget(line.key)
      return { ...line, transfer: null }
    })
  }

  remove(key: string): void {
    this.all = this.all.filter((line) => line.key !== key)
  }

  clear(): void {
    this.all = []
  }
}

export function arrived({ handed }: Line): boolean {
  return handed !== null && handed.state !== 'coming'
}

function idOf({ transfer, handed }: Line): string | undefined {
  return handed?.id ?? transfer?.path?.split('/').at(-1)
}
