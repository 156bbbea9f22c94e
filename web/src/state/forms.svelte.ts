import { answer, type FormField, ownAnswer, type Values } from '../protocol/bots'
import { Problem } from '../protocol/problem'
import type { MessageId } from '../protocol/types'
import type { Client } from './client.svelte'

/** A field that the server refused. */
export interface Wrong {
  field: string
  problem: Problem
}

/**
 * One's own answer to one form. It outlives the row it stands in: the bot changes its message each time somebody
 * answers, and rows are taken down when they are scrolled away. Only in memory: a shared computer must not keep it.
 */
export class FormAnswer {
  /** What the server keeps; null: nothing yet. */
  kept = $state.raw<Values | null>(null)
  status = $state<'unknown' | 'asked' | 'known' | 'failed'>('unknown')
  /** What stands in the fields. */
  values = $state.raw<Values>({})
  /** Something was changed that has not been sent. */
  changed = $state(false)
  sending = $state(false)
  wrong = $state.raw<Wrong | null>(null)
  /** Why it could not be sent, where that is no matter of a field. */
  failure = $state.raw<unknown>(null)
  readonly #client: Client
  readonly #message: MessageId

  constructor(client: Client, message: MessageId) {
    this.#client = client
    this.#message = message
  }

  /** Unless it is known. */
  async ask(): Promise<void> {
    if (this.status === 'asked' || this.status === 'known') return
    this.status = 'asked'
    try {
      const kept = await ownAnswer(this.#client.api, this.#message)
      this.#keep(kept)
      this.status = 'known'
    } catch {
      // Something may have been sent in the meantime.
      if (this.status === 'asked') this.status = 'failed'
    }
  }

  set(field: string, value: string | string[]): void {
    this.values = { ...this.values, [field]: value }
    this.changed = true
    if (this.wrong?.field === field) this.wrong = null
  }

  async send(fields: readonly FormField[]): Promise<void> {
    if (this.sending) return
    this.sending = true
    this.wrong = null
    this.failure = null
    try {
      const sent = this.values
      const kept = await answer(this.#client.api, this.#message, filled(fields, sent))
      // Whoever went on writing meanwhile has not sent that.
      this.changed = this.values !== sent
      this.#keep(kept)
      this.status = 'known'
    } catch (error) {
      const field = error instanceof Problem ? error.field?.match(/^values\.(.+)$/)?.[1] : undefined
      if (field !== undefined && fields.some(({ key }) => key === field)) this.wrong = { field, problem: error as Problem }
      else this.failure = error
    } finally {
      this.sending = false
    }
  }

  #keep(kept: Values | null): void {
    this.kept = kept
    if (!this.changed) this.values = kept ?? {}
  }
}

/** The answers of one client, which go with it. */
class Answers {
  #known = new WeakMap<Client, Map<MessageId, FormAnswer>>()

  of(client: Client, message: MessageId): FormAnswer {
    let answers = this.#known.get(client)
    if (answers === undefined) this.#known.set(client, (answers = new Map()))
    let known = answers.get(message)
    if (known === undefined) answers.set(message, (known = new FormAnswer(client, message)))
    return known
  }
}

export const answers = new Answers()

/** Of the form's own fields, what is not empty; numbers as the protocol writes them, whatever keyboard wrote them. */
export function filled(fields: readonly FormField[], values: Values): Values {
  const found: Values = {}
  for (const { key, kind } of fields) {
    const value = values[key] ?? ''
    if (value.length === 0) continue
    found[key] = kind === 'number' && typeof value === 'string' ? plainNumber(value) : value
  }
  return found
}

/** 「１，２００」 and 1,200 are 1200; what is no number stays as it is, for the server to say so. */
export function plainNumber(written: string): string {
  const plain = written.normalize('NFKC').trim().replace(/^[−‐ー―]/, '-')
  return /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain) ? plain.replaceAll(',', '') : plain
}
