import type { PersonDetail } from './accountApi'
import type { Api } from './api'
import type { LinkState } from './linksApi'
import type { Takeout } from './takeoutsApi'
import type { Paged, Person, RoomId, UserId } from './types'

export interface NewPerson {
  login: string
  name: string
  kind: 'member' | 'guest'
  reading: string
  former_name?: string
  sponsor?: UserId
  ends_at?: number
  password?: string
}

/** What is absent stays. */
export interface PersonChange {
  name?: string
  reading?: string
  former_name?: string
  disabled?: boolean
  ends_at?: number
}

export interface PeopleQuery {
  q: string
  /** Those who are disabled, and guests whose time is over, instead. */
  gone: boolean
  cursor?: string | undefined
}

export interface Organization {
  id: string
  code: string
  name: string
  policy: Record<string, string>
}

/** A file that is handed over as it came, if somebody approves. `own`: one asked for it, or sent it. */
export interface HeldFile {
  id: string
  name: string
  size: number
  kind: string
  zone: string
  sha256: string
  sender: { id: UserId; name: string }
  own: boolean
  link: string | null
  purpose: string
  recipient: string
  company: string
  held: number
  expires: number
  findings: { ja: string; en: string }[]
}

/** A link by which somebody outside hands in files, as those see it who are not in its room. */
export interface OrganizationLink {
  id: string
  room_name: string
  state: LinkState
  asker: { id: UserId; name: string }
  recipient: string
  company: string
  purpose: string
  ends: number
  received_files: number
}

/** `zones`: from the least to the most trusted. `families`: what they may be inward; `outflows`: outward, as the family `outflow`. */
export interface ZoneRules {
  zones: string[]
  families: Record<string, string[]>
  outflows: string[]
  items: { from: string; to: string; family: string; action: string }[]
}

export interface RoomOverview {
  id: RoomId
  kind: string
  name: string
  members: number
  messages: number
  last_at: number | null
  created_at: number
  archived: boolean
  owners: string[]
}

export interface Health {
  version: string
  bus: 'none' | 'connected' | 'cut'
  disk: 'enough' | 'low'
  used: number
  limit: number | null
  largest: { person: Person; used: number }[]
  late: Record<string, number>
  backup_at: number | null
}

/** A device and whose it is. */
export interface KeptDevice {
  id: string
  name: string
  zone: string
  platform: string
  app_version: string
  ownership: '' | 'issued' | 'private'
  state: 'ready' | 'waiting' | 'wipe' | 'wiped'
  created_at: number
  seen_at: number
  wipe_asked_at: number | null
  user: Person
  wiped_at: number | null
  unsent: number | null
  signed_out: boolean
}

export type PersonsDevice = Omit<KeptDevice, 'user' | 'wiped_at' | 'unsent' | 'signed_out'>

export interface StaffOptions {
  encoding: '' | 'utf-8' | 'cp932'
  as_of: string
  returning: string
  disable_missing: boolean
  close_missing: boolean
}

export interface StaffDifference {
  counts: Record<string, Record<string, number>>
  lines: { ja: string[]; en: string[] }
  empty: boolean
  difference: string
}

/** A fault of a staff file (error 6006). */
export interface StaffFault {
  line: number
  field: string
  reason: string
}

export interface AuditQuery {
  actor?: string | undefined
  act?: string | undefined
  since?: number | undefined
  until?: number | undefined
  cursor?: string | undefined
}

export interface AuditEntry {
  seq: number
  at: number
  actor: string
  actor_name?: string
  act: string
  target: string
  detail: Record<string, unknown>
  zone: string
  address: string
  hash: string
}

/** A staff file is planned and written person by person: thousands take a while. */
const STAFF_TIMEOUT = 300_000

/** What administrators and auditors of an organization do. */
export class AdminApi {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  people({ q, gone, cursor }: PeopleQuery, limit = 50): Promise<Paged<Person>> {
    return this.#api.call(`/api/people?${asked({ q: q.trim(), gone: gone || undefined, cursor, limit })}`)
  }

  person(user: UserId): Promise<PersonDetail> {
    return this.#api.call(`/api/people/${encodeURIComponent(user)}`)
  }

  add(person: NewPerson): Promise<PersonDetail> {
    return this.#api.call('/api/people', { method: 'POST', body: person })
  }

  change(user: UserId, change: PersonChange): Promise<PersonDetail> {
    return this.#api.call(`/api/people/${encodeURIComponent(user)}`, { method: 'PATCH', body: change })
  }

  /** Those that wait for approval, or those that were asked to clear their data. */
  async devices(state: 'waiting' | 'wipe'): Promise<KeptDevice[]> {
    return (await this.#api.call<Paged<KeptDevice>>(`/api/organization/devices?state=${state}`)).items
  }

  async devicesOf(user: UserId): Promise<PersonsDevice[]> {
    return (await this.#api.call<Paged<PersonsDevice>>(`/api/people/${encodeURIComponent(user)}/devices`)).items
  }

  changeDevice(user: UserId, device: string, change: { approved?: true; ownership?: string }): Promise<PersonsDevice> {
    return this.#api.call(deviceOf(user, device), { method: 'PATCH', body: change })
  }

  wipeDevice(user: UserId, device: string): Promise<PersonsDevice> {
    return this.#api.call(`${deviceOf(user, device)}/wipe`, { method: 'POST', body: {} })
  }

  signOutDevice(user: UserId, device: string): Promise<null> {
    return this.#api.call(deviceOf(user, device), { method: 'DELETE' })
  }

  /** Changes nothing. */
  showStaff(file: Blob, options: StaffOptions): Promise<StaffDifference> {
    const path = `/api/staff/difference?${staffOptions(options)}`
    return this.#api.call(path, { method: 'POST', bytes: file, timeout: STAFF_TIMEOUT })
  }

  /** Does what was shown for the same file and options, and nothing else. */
  importStaff(file: Blob, options: StaffOptions, difference: string): Promise<StaffDifference> {
    const path = `/api/staff/import?${staffOptions(options)}&difference=${difference}`
    return this.#api.call(path, { method: 'POST', bytes: file, timeout: STAFF_TIMEOUT })
  }

  rooms(cursor?: string): Promise<Paged<RoomOverview>> {
    return this.#api.call(`/api/organization/rooms?${asked({ cursor, limit: 100 })}`)
  }

  health(): Promise<Health> {
    return this.#api.call('/api/organization/health')
  }

  organization(): Promise<Organization> {
    return this.#api.call('/api/organization')
  }

  /** A rule that is null has its default again. */
  rule(change: { name?: string; policy?: Record<string, string | null> }): Promise<Organization> {
    return this.#api.call('/api/organization', { method: 'PATCH', body: change })
  }

  held(): Promise<Paged<HeldFile>> {
    return this.#api.call('/api/organization/held-files')
  }

  decide(file: string, approve: boolean, reason: string): Promise<HeldFile> {
    const act = approve ? 'approve' : 'refuse'
    return this.#api.call(`/api/organization/held-files/${encodeURIComponent(file)}/${act}`, { method: 'POST', body: { reason } })
  }

  /** Those that one may decide about: `takeoutsApi`. */
  takeouts(): Promise<Paged<Takeout>> {
    return this.#api.call('/api/takeouts')
  }

  links(): Promise<Paged<OrganizationLink>> {
    return this.#api.call('/api/organization/upload-links')
  }

  revokeLink(link: string): Promise<OrganizationLink> {
    return this.#api.call(`/api/organization/upload-links/${encodeURIComponent(link)}`, { method: 'DELETE' })
  }

  zoneRules(): Promise<ZoneRules> {
    return this.#api.call('/api/organization/zone-rules')
  }

  /** Null: as the organization's rule. */
  zoneRule(from: string, to: string, family: string, action: string | null): Promise<ZoneRules> {
    return this.#api.call('/api/organization/zone-rules', { method: 'PATCH', body: { from, to, family, action } })
  }

  /** Newest first. Each asking is on the trail itself. */
  audit(query: AuditQuery): Promise<Paged<AuditEntry>> {
    return this.#api.call(`/api/audit?${asked({ ...query, limit: 50 })}`)
  }
}

function deviceOf(user: UserId, device: string): string {
  return `/api/people/${encodeURIComponent(user)}/devices/${encodeURIComponent(device)}`
}

function staffOptions({ encoding, as_of, returning, disable_missing, close_missing }: StaffOptions): string {
  return asked({
    encoding,
    as_of,
    returning: returning.trim(),
    disable_missing: disable_missing || undefined,
    close_missing: close_missing || undefined,
  })
}

/** A query of what was given; what is empty is not asked. */
function asked(values: Record<string, string | number | boolean | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
}
