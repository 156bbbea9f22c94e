import type { Calls } from './roomsApi'
import type { Department, Found, FoundKind, PersonDetail } from './findingTypes'
import type { Paged, Person, RoomId, UserId } from './types'

/** What is looked for; times are UTC milliseconds, since ≤ at < until. */
export interface Question {
  words: string
  room?: RoomId
  by?: UserId
  department?: string
  kinds?: FoundKind[]
  since?: number
  until?: number
  cursor?: string
  limit?: number
}

export interface PeopleQuery {
  /** Part of a name or reading, or the beginning of a login. */
  q?: string
  /** Those in this department and below it. */
  department?: string
  cursor?: string
  limit?: number
}

/** People, departments, and what was said. */
export const findingApi = (api: Calls) => ({
  search: (question: Question): Promise<Paged<Found>> => api.call('/api/search', { method: 'POST', body: question }),
  directory: (): Promise<{ version: number; departments: Department[] }> => api.call('/api/directory?counts=true'),
  people: (query: PeopleQuery): Promise<Paged<Person>> => {
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    return api.call(`/api/people?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`)
  },
  person: (user: UserId): Promise<PersonDetail> => api.call(`/api/people/${encodeURIComponent(user)}`),
})
