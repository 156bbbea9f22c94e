import { describe, expect, it, vi } from 'vitest'
import type { Api } from '../src/protocol/api'
import { type BotBlock, hasBotBlocks } from '../src/protocol/bots'
import { Problem, Unreachable } from '../src/protocol/problem'
import type { Message } from '../src/protocol/types'
import type { Client } from '../src/state/client.svelte'
import { answers, filled, plainNumber } from '../src/state/forms.svelte'

const FIELDS = [{ key: 'choice', label: '回答' }, { key: 'cars', label: '台数', kind: 'number' as const }]
const client = (call: Api['call']) => ({ api: { call } }) as unknown as Client
const message = (...blocks: { type: string; v?: number }[]) => ({ blocks }) as unknown as Message
const refused = (field: string) =>
  new Problem({ code: 2001, name: 'invalid_field', field, params: { reason: 'required' }, ja: '', en: '' })

describe("one's own answer", () => {
  it('comes from the server unless one has begun to write', async () => {
    const call = vi.fn(() => Promise.resolve({ values: { choice: '和食' } }))
    const own = answers.of(client(call as Api['call']), 'm1')
    const asked = own.ask()
    own.set('choice', '洋食')
    await asked
    expect(own.kept).toEqual({ choice: '和食' })
    expect(own.values).toEqual({ choice: '洋食' })
    await own.ask()
    expect(call).toHaveBeenCalledTimes(1)
  })

  it('is the same for one message, whichever row shows it, and of one client alone', () => {
    const here = client((() => Promise.reject(new Unreachable(''))) as Api['call'])
    answers.of(here, 'm1').set('choice', '洋食')
    expect(answers.of(here, 'm1').values).toEqual({ choice: '洋食' })
    expect(answers.of(here, 'm2').values).toEqual({})
    expect(answers.of(client(here.api.call), 'm1').values).toEqual({})
  })

  it('stays in the fields when it is refused, and says of which', async () => {
    const call = vi.fn(() => Promise.reject(refused('values.choice')))
    const own = answers.of(client(call as Api['call']), 'm1')
    own.set('cars', '３')
    await own.send(FIELDS)
    expect(own.wrong?.field).toBe('choice')
    expect(own.failure).toBeNull()
    expect(own.values).toEqual({ cars: '３' })
    own.set('choice', '和食')
    expect(own.wrong).toBeNull()
  })

  it('tells of what is no matter of a field', async () => {
    const own = answers.of(client((() => Promise.reject(refused('message'))) as Api['call']), 'm1')
    await own.send(FIELDS)
    expect(own.wrong).toBeNull()
    expect(own.failure).toBeInstanceOf(Problem)
  })

  it('does not take what was written while it was on its way for sent', async () => {
    let arrived: (reply: unknown) => void = () => undefined
    const own = answers.of(client((() => new Promise((resolve) => (arrived = resolve))) as Api['call']), 'm1')
    own.set('choice', '和食')
    const sent = own.send(FIELDS)
    own.set('choice', '洋食')
    arrived({ values: { choice: '和食' } })
    await sent
    expect(own.kept).toEqual({ choice: '和食' })
    expect(own.values).toEqual({ choice: '洋食' })
    expect(own.changed).toBe(true)
  })

  it('is asked for again after the line failed', async () => {
    let up = false
    const own = answers.of(client((() => (up ? Promise.resolve({ values: null }) : Promise.reject(new Unreachable('')))) as Api['call']), 'm1')
    await own.ask()
    expect(own.status).toBe('failed')
    up = true
    await own.ask()
    expect(own.status).toBe('known')
    expect(own.kept).toBeNull()
  })
})

it('sends what is not empty, of the fields that the form has now', () => {
  expect(filled(FIELDS, { choice: [], cars: '１２', gone: 'x' })).toEqual({ cars: '12' })
})

it('writes numbers as the protocol does', () => {
  expect(plainNumber('１，２００')).toBe('1200')
  expect(plainNumber('−3.5')).toBe('-3.5')
  expect(plainNumber('1,2')).toBe('1,2')
  expect(plainNumber(' 数台 ')).toBe('数台')
})

it('shows blocks of bots where it knows all of a message', () => {
  const card: BotBlock = { type: 'card', title: '通報' }
  expect(hasBotBlocks(message(card, { type: 'text' }))).toBe(true)
  expect(hasBotBlocks(message({ type: 'text' }))).toBe(false)
  expect(hasBotBlocks(message(card, { type: 'map' }))).toBe(false)
  expect(hasBotBlocks(message({ type: 'card', v: 2 }))).toBe(false)
})
