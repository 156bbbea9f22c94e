import { isProblemBody, Problem, Unintelligible, Unreachable } from './problem'

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  /** Instead of `body`: bytes as they are. */
  bytes?: Blob
  token?: string
  /** Of the token; that of a session if not told. */
  scheme?: string
  /** Makes repeating an unsafe call safe. */
  key?: string
  timeout?: number
}

export interface Reply<T> {
  body: T
  /** The server's clock when it answered, in milliseconds; null when no `Date` header came. */
  time: number | null
}

export type Fetch = typeof fetch

const TIMEOUT = 20_000

/** One HTTP call. Rejects with `Problem`, `Unreachable` or `Unintelligible`, and with nothing else. */
export async function call<T>(base: string, path: string, options: Call = {}, fetcher: Fetch = fetch): Promise<Reply<T>> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  if (options.bytes !== undefined) headers['content-type'] = 'application/octet-stream'
  if (options.token !== undefined) headers['authorization'] = `${options.scheme ?? 'Bearer'} ${options.token}`
  if (options.key !== undefined) headers['idempotency-key'] = options.key
  let response: Response
  let text: string
  try {
    response = await fetcher(base + path, {
      method: options.method ?? 'GET',
      headers,
      body: options.bytes ?? (options.body === undefined ? null : JSON.stringify(options.body)),
      // Who we are is said by the token alone: no cookie may ever speak for the person.
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeout ?? TIMEOUT),
    })
    text = await response.text()
  } catch (error) {
    throw new Unreachable((error as Error).name)
  }
  const body = parse(text, response.status)
  if (!response.ok) throw failure(body, response.status)
  const date = Date.parse(response.headers.get('date') ?? '')
  return { body: body as T, time: Number.isNaN(date) ? null : date }
}

export function failure(body: unknown, status: number): Error {
  const error = (body as { error?: unknown } | null)?.error
  if (isProblemBody(error)) return new Problem(error)
  // A gateway that answers for a server that is down.
  if (status === 502 || status === 503 || status === 504) return new Unreachable(`status ${status}`)
  return new Unintelligible(`status ${status}`)
}

function parse(text: string, status: number): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    if (status >= 400) return null
    throw new Unintelligible('not JSON')
  }
}
