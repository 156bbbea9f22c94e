import { findingApi } from '../protocol/findingApi'
import type { Department } from '../protocol/findingTypes'
import type { Client } from './client.svelte'
import { per } from './per'

/** A department with its place in the tree. */
export interface Node extends Department {
  depth: number
  /** It has others below it. */
  parted: boolean
  /** As it stands behind names: the two lowest, without the top of the tree. */
  section: string
}

/** The organization's departments in their order; loaded when first wanted, and anew when the server says so. */
export class Directory {
  nodes = $state.raw<readonly Node[]>([])
  status = $state<'idle' | 'loading' | 'ready' | 'failed'>('idle')
  readonly #find: ReturnType<typeof findingApi>
  #stale = true
  #asked = 0

  constructor(client: Pick<Client, 'api' | 'listen'>) {
    this.#find = findingApi(client.api)
    client.listen((event) => {
      if (event.op !== 'me' || event.kind !== 'directory') return
      this.#stale = true
    })
  }

  /** Whoever shows it calls this first. */
  want(): void {
    if (this.#stale || this.status === 'failed') void this.#load()
  }

  async #load(): Promise<void> {
    const asked = ++this.#asked
    this.#stale = false
    if (this.nodes.length === 0) this.status = 'loading'
    try {
      const { departments } = await this.#find.directory()
      if (asked !== this.#asked) return
      this.nodes = placed(departments)
      this.status = 'ready'
    } catch {
      if (asked !== this.#asked) return
      this.#stale = true
      if (this.nodes.length === 0) this.status = 'failed'
    }
  }
}

export function placed(departments: Department[]): Node[] {
  const known = new Map(departments.map((department) => [department.id, department]))
  const parents = new Set(departments.map(({ parent }) => parent))
  const above = (department: Department) => (department.parent === null ? undefined : known.get(department.parent))
  return departments.map((department) => {
    let depth = 0
    for (let up = above(department); up !== undefined && depth < 20; up = above(up)) depth += 1
    const up = above(department)
    const section = up === undefined || above(up) === undefined ? department.name : `${up.name} ${department.name}`
    return { ...department, depth, parted: parents.has(department.id), section }
  })
}

export const directoryOf = per((client) => new Directory(client))
