/** Who can be called in a room, found by name, reading or department; and how many a call reaches. Pure. */

import type { Person, UserId } from '../protocol/types'
import { folded } from '../text/kana'
import type { Department } from './members.svelte'

export interface Call {
  /** `user:ID`, `department:ID` or `everyone`. */
  meant: string
  kind: 'person' | 'department' | 'everyone'
  name: string
  /** Department and post of a person. */
  detail: string
  outside: boolean
  /** How many it calls. */
  reach: number
}

const MOST = 40
const EVERYONE = ['全員', 'ぜんいん', 'みんな', 'everyone', 'all', 'here']

/** The departments that members belong to or that lie above them, in the directory's order, with their members. */
export function called(people: readonly Person[], departments: readonly Department[]): Map<string, Person[]> {
  const byId = new Map(departments.map((one) => [one.id, one]))
  const section = ({ name, parent }: Department) => {
    const above = parent === null ? undefined : byId.get(parent)
    return above === undefined ? name : `${above.name} ${name}`
  }
  const found = new Map<string, Person[]>()
  for (const one of departments) {
    const own = people.filter((person) => person.department !== '' && person.department === section(one))
    for (let at: Department | undefined = one; at !== undefined && own.length > 0; at = at.parent === null ? undefined : byId.get(at.parent)) {
      found.set(at.id, [...(found.get(at.id) ?? []), ...own])
    }
  }
  return new Map(departments.filter(({ id }) => found.has(id)).map(({ id }) => [id, found.get(id)!]))
}

export function choices(
  query: string,
  people: readonly Person[],
  departments: readonly Department[],
  options: { me: UserId; members: number; outsiders: readonly string[]; everyone: string },
): Call[] {
  const wanted = folded(query)
  const rank = (...forms: string[]) => {
    const all = forms.map(folded)
    return all.some((form) => form.startsWith(wanted)) ? 0 : all.some((form) => form.includes(wanted)) ? 1 : 2
  }
  const found: { call: Call; rank: number }[] = []
  for (const person of people) {
    if (person.id === options.me) continue
    const detail = [person.department, person.post].filter(Boolean).join(' ')
    const outside = person.kind === 'guest' || options.outsiders.includes(person.organization)
    found.push({
      call: { meant: `user:${person.id}`, kind: 'person', name: person.name, detail, outside, reach: 1 },
      rank: rank(person.name, person.reading),
    })
  }
  const byId = new Map(departments.map((one) => [one.id, one]))
  for (const [id, own] of called(people, departments)) {
    const { name, parent } = byId.get(id)!
    const detail = parent === null ? '' : (byId.get(parent)?.name ?? '')
    found.push({
      call: { meant: `department:${id}`, kind: 'department', name, detail, outside: false, reach: new Set(own).size },
      rank: rank(name),
    })
  }
  found.push({
    call: { meant: 'everyone', kind: 'everyone', name: options.everyone, detail: '', outside: options.outsiders.length > 0, reach: options.members - 1 },
    rank: Math.min(...EVERYONE.map((word) => rank(word))),
  })
  return found
    .filter((one) => one.rank < 2)
    .sort((a, b) => a.rank - b.rank)
    .map(({ call }) => call)
    .slice(0, MOST)
}

/** How many different people are called, at most `members`. */
export function reach(meant: readonly string[], people: readonly Person[], departments: readonly Department[], members: number): number {
  if (meant.includes('everyone')) return members
  const found = called(people, departments)
  const ids = meant.flatMap((one) => {
    const [kind, id = ''] = one.split(':', 2)
    return kind === 'user' ? [id] : (found.get(id) ?? []).map((person) => person.id)
  })
  return new Set(ids).size
}
