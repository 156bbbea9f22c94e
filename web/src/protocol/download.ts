import { failure, type Fetch } from './http'
import { Unreachable } from './problem'

export interface Download {
  name: string
  blob: Blob
}

/**
 * What the server makes for one person to keep. Asked for with the token, so that no address of it exists; there is no
 * limit on the time, because making it may take a minute: `signal` gives up.
 */
export async function download(
  base: string,
  path: string,
  token: string,
  signal: AbortSignal,
  fetcher: Fetch = fetch,
): Promise<Download> {
  let response: Response
  try {
    response = await fetcher(base + path, {
      headers: { authorization: `Bearer ${token}` },
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal,
    })
    if (response.ok) {
      return { name: nameOf(response.headers.get('content-disposition') ?? ''), blob: await response.blob() }
    }
  } catch (error) {
    throw new Unreachable((error as Error).name)
  }
  throw failure(await response.json().catch(() => null), response.status)
}

/** RFC 6266: the form in UTF-8 where there is one. */
export function nameOf(disposition: string): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded)
  } catch {
    // The plain form, then.
  }
  return /filename="([^"]*)"/i.exec(disposition)?.[1] ?? 'download'
}
