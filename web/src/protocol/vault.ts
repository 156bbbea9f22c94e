/**
 * What keeps the kept: a random key, itself locked by what a person types (PBKDF2, AES-GCM). Whoever takes the device's
 * disk apart can try numbers as fast as their machines count, so six digits hold for days, not years; the page says so.
 */

/** The locked key as the device keeps it, in base64. */
export interface Seal {
  salt: string
  rounds: number
  iv: string
  key: string
}

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  bytes: ArrayBuffer
}

const ROUNDS = 600_000
const AES = { name: 'AES-GCM', length: 256 }

/** A new key, locked by `pin`. */
export async function sealed(pin: string, rounds = ROUNDS): Promise<{ seal: Seal; key: CryptoKey }> {
  const made = await crypto.subtle.generateKey(AES, true, ['encrypt', 'decrypt'])
  const salt = random(16)
  const iv = random(12)
  const locked = await crypto.subtle.wrapKey('raw', made, await derived(pin, salt, rounds), { name: AES.name, iv })
  const seal = { salt: encoded(salt), rounds, iv: encoded(iv), key: encoded(new Uint8Array(locked)) }
  const key = await unsealed(pin, seal)
  if (key === null) throw new Error('the key did not come back')
  return { seal, key }
}

/** Null for another pin. */
export async function unsealed(pin: string, { salt, rounds, iv, key }: Seal): Promise<CryptoKey | null> {
  const by = await derived(pin, decoded(salt), rounds)
  try {
    const how = { name: AES.name, iv: decoded(iv) }
    return await crypto.subtle.unwrapKey('raw', decoded(key), by, how, AES, false, ['encrypt', 'decrypt'])
  } catch {
    return null
  }
}

/** `place`: a row that was moved to another place does not open. */
export async function hidden(key: CryptoKey, place: string, bytes: Uint8Array<ArrayBuffer>): Promise<Sealed> {
  const iv = random(12)
  return { iv, bytes: await crypto.subtle.encrypt({ name: AES.name, iv, additionalData: named(place) }, key, bytes) }
}

export async function shown(key: CryptoKey, place: string, { iv, bytes }: Sealed): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.decrypt({ name: AES.name, iv, additionalData: named(place) }, key, bytes))
}

async function derived(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey('raw', named(pin), 'PBKDF2', false, ['deriveKey'])
  const how = { name: 'PBKDF2', salt, iterations, hash: 'SHA-256' }
  return crypto.subtle.deriveKey(how, raw, AES, false, ['wrapKey', 'unwrapKey'])
}

const named = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length))
const encoded = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const decoded = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
