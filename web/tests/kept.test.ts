import 'fake-indexeddb/auto'
import { describe, expect, it } from 'vitest'
import { openDeviceDatabase } from '../src/protocol/deviceDatabase'
import { newKey } from '../src/protocol/ids'
import { Kept } from '../src/protocol/kept'
import { hidden, sealed, shown, unsealed } from '../src/protocol/vault'

const ROUNDS = 10
const fresh = () => openDeviceDatabase(newKey())

describe('the key to what is kept', () => {
  it('comes out with its number alone', async () => {
    const { seal, key } = await sealed('271828', ROUNDS)
    const bytes = new TextEncoder().encode('緑町の倒木')
    const box = await hidden(key, 'room:a', bytes)
    const again = await unsealed('271828', seal)
    expect(await shown(again!, 'room:a', box)).toEqual(bytes)
    expect(await unsealed('271829', seal)).toBeNull()
    expect(JSON.stringify(seal)).not.toContain('271828')
  })

  it('opens nothing that was moved to another place', async () => {
    const { key } = await sealed('271828', ROUNDS)
    const box = await hidden(key, 'room:a', new Uint8Array([1]))
    await expect(shown(key, 'room:b', box)).rejects.toThrow()
  })
})

describe('what is kept', () => {
  it('is given back to its person, and to nobody else', async () => {
    const database = fresh()
    await new Kept(database, 'tanaka', null).putJson('list', { rooms: ['緑町'] })
    expect(await new Kept(database, 'tanaka', null).json('list')).toEqual({ rooms: ['緑町'] })
    const other = new Kept(database, 'sato', null)
    expect(await other.json('list')).toBeUndefined()
    await other.clearForeign()
    expect(await (await database).count('kept')).toBe(0)
  })

  it('lies sealed where there is a lock', async () => {
    const database = fresh()
    const { key } = await sealed('271828', ROUNDS)
    await new Kept(database, 'tanaka', key).putJson('list', 'midorino')
    const [row] = await (await database).getAll('kept')
    expect(row!.plain).toBeUndefined()
    expect(new TextDecoder().decode(row!.sealed!.bytes)).not.toContain('midorino')
    expect(await new Kept(database, 'tanaka', key).json('list')).toBe('midorino')
    expect(await new Kept(database, 'tanaka', null).json('list')).toBeUndefined()
    expect(await new Kept(database, 'tanaka', (await sealed('1', ROUNDS)).key).json('list')).toBeUndefined()
  })

  it('is cut: what nobody wants, then the oldest', async () => {
    const database = fresh()
    const kept = new Kept(database, 'tanaka', null)
    for (const room of ['a', 'b', 'c', 'd']) await kept.put(`room:${room}`, '', new Uint8Array(10))
    await kept.put('picture:a', '', new Uint8Array(10))
    const rows = await (await database).getAll('kept')
    for (const [index, row] of rows.entries()) await (await database).put('kept', { ...row, at: index })
    await kept.trim('room:', 2, 1_000, (room) => room !== 'd')
    expect((await (await database).getAllKeys('kept')).sort()).toEqual(['picture:a', 'room:b', 'room:c'])
    await kept.trim('room:', 2, 15, () => true)
    expect((await (await database).getAllKeys('kept')).sort()).toEqual(['picture:a', 'room:c'])
  })

  it('writes nothing after its person has left', async () => {
    const database = fresh()
    const kept = new Kept(database, 'tanaka', (await sealed('271828', ROUNDS)).key)
    const late = kept.putJson('list', 1)
    kept.close()
    await late
    expect(await (await database).count('kept')).toBe(0)
  })
})
