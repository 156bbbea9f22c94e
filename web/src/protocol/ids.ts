const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_'

/**
 * A key that is unique for ever: 22 characters of 6 bits, for `client_msg_id` and `Idempotency-Key`.
 * Not `crypto.randomUUID`: that exists only over https, and a closed network may still run plain http.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(22))
  let key = ''
  for (const byte of bytes) key += ALPHABET[byte & 63]
  return key
}
