import type { Api } from './api'
import type { Paged, Person, UserId } from './types'

export interface PersonDetail extends Person {
  appointments: Appointment[]
  former_name?: string
  disabled?: boolean
  /** For organization administrators. */
  login?: string
  roles?: string[]
  ends_at?: number | null
}

export interface Appointment {
  department: { id: string; name: string }
  kind: 'main' | 'concurrent' | 'joint' | 'annual'
  post: string
  starts_at: number
  ends_at: number | null
}

export interface Device {
  id: string
  name: string
  zone: string
  platform?: string
  app_version?: string
  /** `issued`: an administrator says so. */
  ownership?: '' | 'issued' | 'private'
  state?: 'ready' | 'waiting' | 'wipe' | 'wiped'
  created_at: number
  seen_at: number
  current: boolean
}

/** Bytes; `limit` null: no bound of one's own. */
export interface Usage {
  used: number
  limit: number | null
  file_bytes: number
}

/** What belongs to whoever is signed in. */
export class AccountApi {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  person(user: UserId): Promise<PersonDetail> {
    return this.#api.call(`/api/people/${encodeURIComponent(user)}`)
  }

  /** Other devices are signed out. */
  changePassword(old: string, next: string): Promise<null> {
    return this.#api.call('/api/me/password', { method: 'PUT', body: { old, new: next } })
  }

  /** Last seen first. */
  async devices(): Promise<Device[]> {
    return (await this.#api.call<Paged<Device>>('/api/me/devices')).items
  }

  signOutDevice(device: string): Promise<null> {
    return this.#api.call(`/api/me/devices/${encodeURIComponent(device)}`, { method: 'DELETE' })
  }

  /** It clears its data when it next connects, and is signed out then. */
  wipeDevice(device: string): Promise<Device> {
    return this.#api.call(`/api/me/devices/${encodeURIComponent(device)}/wipe`, { method: 'POST', body: {} })
  }

  /** The very device that asks is the person's own. */
  markPrivate(): Promise<unknown> {
    return this.#api.call('/api/devices/me', { method: 'PATCH', body: { ownership: 'private' } })
  }

  usage(): Promise<Usage> {
    return this.#api.call('/api/me/usage')
  }
}
