import { call } from '../protocol/http'
import { newKey } from '../protocol/ids'

/** docs/protocol.md, "Handing in by a link". */

export type Family = 'photos' | 'documents' | 'drawings' | 'films' | 'archives' | 'mail'
/** In both languages. */
export type Sentence = { ja: string; en: string }

/** Who asks for what. */
export interface Asked {
  organization: string
  department: string
  asker: string
  recipient: string
  company: string
  purpose: string
  expected: string
  most_files: number
  most_bytes: number
  /** Empty: all. */
  kinds: Family[]
  once: boolean
  ends: number
}

export interface Handed {
  id: string
  name: string
  size: number
  /** null while it comes. */
  offset: number | null
  /** `waiting`: it is here, and is being looked through. */
  state: 'coming' | 'waiting' | 'released' | 'refused'
  sha256: string | null
  received: number | null
  reason: Sentence | null
  instead: Sentence | null
}

export interface Receipt extends Asked {
  delivered: number | null
  /** Nothing more is accepted. */
  closed: boolean
  files: Handed[]
}

export const FILES = '/api/visit/files'

const byLink = (token: string) => ({ token, scheme: 'Link' })
const byVisit = (token: string) => ({ token, scheme: 'Visit' })

export async function look(link: string): Promise<Asked & { pin: boolean }> {
  return (await call<Asked & { pin: boolean }>('', '/api/link', byLink(link))).body
}

/** Answers the visit's token. */
export async function begin(link: string, pin: string): Promise<string> {
  const body = pin === '' ? {} : { pin }
  return (await call<{ visit: string }>('', '/api/link/visits', { ...byLink(link), method: 'POST', body, key: newKey() })).body.visit
}

export async function see(visit: string): Promise<Receipt> {
  return (await call<Receipt>('', '/api/visit', byVisit(visit))).body
}

/** Nothing more comes. */
export async function deliver(visit: string): Promise<Receipt> {
  return (await call<Receipt>('', '/api/visit/delivery', { ...byVisit(visit), method: 'POST', body: {}, key: newKey() })).body
}

export async function giveUp(visit: string, path: string): Promise<void> {
  await call('', path, { ...byVisit(visit), method: 'DELETE' })
}
