import { encode as pack } from '@msgpack/msgpack'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../src/protocol/codec'
import { Unintelligible } from '../src/protocol/problem'
import { random } from './support/random'

const buffer = (bytes: Uint8Array) => bytes.slice().buffer

describe('codec', () => {
  it('carries text, times beyond 32 bits and nested maps both ways', () => {
    const frame = { op: 'ping', ref: 7, at: 1_763_770_000_000, text: '髙﨑 㐂\u{20bb7}', rooms: { 部屋: 4711 }, none: null }
    expect(decode(buffer(encode(frame as never)))).toEqual(frame)
  })

  it('leaves out what is undefined', () => {
    expect(decode(buffer(encode({ op: 'pull', room: undefined, after: 3 } as never)))).toEqual({ op: 'pull', after: 3 })
  })

  it('gives times as numbers, not as big integers', () => {
    const decoded = decode(buffer(pack({ op: 'x', at: 2n ** 40n }, { useBigInt64: true }))) as unknown as { at: unknown }
    expect(decoded.at).toBe(2 ** 40)
  })

  it.each([
    ['nothing', []],
    ['a number', [0x07]],
    ['an array', [0x91, 0x01]],
    ['a map without op', [0x81, 0xa1, 0x61, 0x01]],
    ['an op that is no string', [0x81, 0xa2, 0x6f, 0x70, 0x01]],
    ['a map that ends early', [0x82, 0xa2, 0x6f, 0x70, 0xa1, 0x61]],
    ['two values', [0x81, 0xa2, 0x6f, 0x70, 0xa1, 0x61, 0x01]],
    ['a byte that has no meaning', [0xc1]],
    ['an array that claims four billion items', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a string that claims four gigabytes', [0xdb, 0xff, 0xff, 0xff, 0xff]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decode(buffer(Uint8Array.from(bytes)))).toThrow(Unintelligible)
  })

  it('refuses a text frame', () => {
    expect(() => decode('{"op":"ping"}' as never)).toThrow(Unintelligible)
  })

  it('does not let a frame reach the prototype of all objects', () => {
    const bytes = pack(new Map([['op', 'x'], ['__proto__', { polluted: true }]] as never))
    try {
      decode(buffer(bytes))
    } catch (error) {
      expect(error).toBeInstanceOf(Unintelligible)
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('meets noise with a frame or with Unintelligible, and with nothing else', () => {
    const next = random(11)
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256))
      try {
        expect(typeof decode(buffer(bytes)).op).toBe('string')
      } catch (error) {
        expect(error).toBeInstanceOf(Unintelligible)
      }
    }
  })
})
