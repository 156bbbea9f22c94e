import { type ApiTokens, authorized } from './api'
import { failure } from './http'
import { Unintelligible, Unreachable } from './problem'
import type { Attachment } from './types'

export interface Upload {
  name: string
  blob: Blob
  /** The same key gives the same attachment, so a repetition after a lost answer uploads nothing twice. */
  key: string
  /** Bytes on their way so far, and all of them. */
  progress?: (sent: number, total: number) => void
  signal?: AbortSignal
}

/** Sends one photo. Rejects with `Problem`, `Unreachable`, `Unintelligible` or `SignedOut`. */
export type Uploader = (upload: Upload) => Promise<Attachment>

/**
 * XMLHttpRequest, because `fetch` cannot tell how far an upload is. There is no limit on the whole time: a slow line
 * that moves is fine. Only one that has not moved for `stall` milliseconds is given up, to be tried again. `answer` is
 * longer: bytes that count as sent may still lie in the phone's own buffers, a megabyte of them, on a line of 20 kB/s.
 */
export function uploader(base: string, tokens: ApiTokens, stall = 30_000, answer = 180_000): Uploader {
  const send = (upload: Upload, token: string): Promise<Attachment> =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      let timer: ReturnType<typeof setTimeout>
      const giveUpIn = (milliseconds: number) => {
        clearTimeout(timer)
        timer = setTimeout(() => request.abort(), milliseconds)
      }
      request.open('POST', `${base}/api/photos?name=${encodeURIComponent(upload.name)}`)
      request.setRequestHeader('authorization', `Bearer ${token}`)
      request.setRequestHeader('idempotency-key', upload.key)
      request.setRequestHeader('content-type', upload.blob.type || 'application/octet-stream')
      request.upload.onprogress = (event) => {
        giveUpIn(stall)
        upload.progress?.(event.loaded, event.total)
      }
      request.upload.onload = () => giveUpIn(answer)
      request.onload = () => {
        const body = parse(request.responseText)
        if (request.status >= 200 && request.status < 300 && body !== null) resolve(body as Attachment)
        else if (request.status >= 200 && request.status < 300) reject(new Unintelligible('not JSON'))
        else reject(failure(body, request.status))
      }
      request.onerror = () => reject(new Unreachable('upload failed'))
      request.onabort = () => reject(new Unreachable('upload stalled'))
      request.onloadend = () => {
        clearTimeout(timer)
        upload.signal?.removeEventListener('abort', abort)
      }
      const abort = () => request.abort()
      upload.signal?.addEventListener('abort', abort)
      giveUpIn(stall)
      request.send(upload.blob)
    })

  return (upload) => authorized(tokens, 60_000, (token) => send(upload, token))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
