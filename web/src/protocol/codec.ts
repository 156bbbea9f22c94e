import { Decoder, Encoder } from '@msgpack/msgpack'
import { Unintelligible } from './problem'
import type { Command, ServerFrame } from './types'

export const SUBPROTOCOL = 'renraku.v1.msgpack'

// A page of 500 events is the largest thing a server sends. These bounds only keep a broken or hostile peer from
// making us allocate gigabytes for a length that it merely claims.
const MAX_LENGTH = 16 * 1024 * 1024
const MAX_ITEMS = 100_000

const encoder = new Encoder({ ignoreUndefined: true })
const decoder = new Decoder({
  maxStrLength: MAX_LENGTH,
  maxBinLength: MAX_LENGTH,
  maxArrayLength: MAX_ITEMS,
  maxMapLength: MAX_ITEMS,
  maxExtLength: 64,
})

export function encode(command: Command & { ref?: number }): Uint8Array<ArrayBuffer> {
  return encoder.encode(command)
}

/** Raises `Unintelligible` when the bytes are not one MessagePack map with an `op`. */
export function decode(data: ArrayBuffer | ArrayBufferView): ServerFrame {
  let value: unknown
  try {
    value = decoder.decode(data as ArrayBuffer)
  } catch (error) {
    throw new Unintelligible(`not MessagePack: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || typeof (value as { op?: unknown }).op !== 'string') {
    throw new Unintelligible('a frame without op')
  }
  return value as ServerFrame
}
