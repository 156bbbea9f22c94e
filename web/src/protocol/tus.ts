import type { DetailedError, HttpStack, PreviousUpload, Upload } from 'tus-js-client'
import { type ApiTokens, authorized } from './api'
import { call, failure } from './http'
import { Unintelligible, Unreachable } from './problem'
import type { Attachment } from './types'

/** One file on its way, by the tus protocol (1.0): it goes on where it stopped, on any connection and any node. */
export interface FileJob {
  name: string
  blob: Blob
  /** Where an earlier attempt went. */
  path?: string | undefined
  /** Where this one goes: keep it, to go on there after the page was closed. */
  created(path: string): void
  /** Bytes that the server has, or that are on their way to it. */
  progress(sent: number): void
  signal: AbortSignal
}

/** Rejects with `Problem`, `Unreachable`, `Unintelligible` or `SignedOut`. */
export type FileSender<Done = Attachment> = (job: FileJob) => Promise<Done>

/** Where files go, and by what right. */
export interface Place {
  base: string
  path: string
  scheme: string
  token(): Promise<string>
}

/** A proxy that keeps a request's body until it is complete would lose a whole gigabyte with the line. */
const CHUNK = 16 * 2 ** 20
/** A token lives ten minutes, and a piece on a slow line takes a few of them. */
const TOKEN = 120_000

export interface TusOptions {
  /** No byte for so many milliseconds: given up, to be tried again. Phones keep a megabyte in their own buffers. */
  stall?: number
  chunk?: number
  httpStack?: HttpStack
}

export function fileSender(base: string, tokens: ApiTokens, options: TusOptions = {}): FileSender {
  return async (job) => {
    const tus = await library()
    const place = { base, path: '/api/uploads', scheme: 'Bearer', token: () => tokens.token(TOKEN) }
    const path = await authorized(tokens, TOKEN, (token) => send(tus, place, token, job, options))
    return finished(base, tokens, path)
  }
}

/** Loaded when there is a line, so that it is there when a file is to be sent. */
export async function library(): Promise<typeof import('tus-js-client')> {
  try {
    return await import('tus-js-client')
  } catch (error) {
    throw new Unreachable((error as Error).name)
  }
}

/** Resolves to the address of the file, which is whole there. `first`: a token for the first request, '' if there is none yet. */
export function send(
  { Upload }: typeof import('tus-js-client'),
  { base, path, scheme, token: renewed }: Place,
  first: string,
  job: FileJob,
  { stall = 90_000, chunk = CHUNK, httpStack }: TusOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>
    let token = first
    const end = (): void => {
      clearTimeout(timer)
      job.signal.removeEventListener('abort', stop)
    }
    const fail = (error: Error): void => {
      end()
      reject(error)
    }
    const stop = (): void => {
      void upload.abort()
      fail(new Unreachable('stopped'))
    }
    const patience = (): void => {
      clearTimeout(timer)
      timer = setTimeout(stop, stall)
    }
    const upload: Upload = new Upload(job.blob, {
      endpoint: base + path,
      metadata: { filename: job.name },
      chunkSize: chunk,
      // When to try again is decided by who has the queue.
      retryDelays: null,
      storeFingerprintForResuming: false,
      ...(httpStack === undefined ? {} : { httpStack }),
      onBeforeRequest: async (request) => {
        patience()
        // A long upload outlives its token; the first request brings the one that was just renewed.
        if (first === '') token = await renewed()
        first = ''
        request.setHeader('authorization', `${scheme} ${token}`)
      },
      onUploadUrlAvailable: () => {
        if (upload.url !== null) job.created(new URL(upload.url, base).pathname)
      },
      onProgress: (sent) => {
        patience()
        job.progress(sent)
      },
      onSuccess: () => {
        end()
        if (upload.url === null) reject(new Unintelligible('no address'))
        else resolve(new URL(upload.url, base).pathname)
      },
      onError: (error) => fail(reason(error)),
    })
    if (job.path !== undefined) upload.resumeFromPreviousUpload({ uploadUrl: base + job.path } as PreviousUpload)
    if (job.signal.aborted) return fail(new Unreachable('stopped'))
    job.signal.addEventListener('abort', stop)
    patience()
    upload.start()
  })
}

/** What another request holds, has moved or has swept is found by asking for the offset again. */
const ASK_AGAIN = new Set([404, 409, 410, 423])

function reason(error: Error | DetailedError): Error {
  const { originalResponse: response, causingError: cause } = error as Partial<DetailedError>
  if (response === null || response === undefined) {
    // A token that could not be had says why itself.
    const told = cause?.name === 'SignedOut' || cause?.name === 'Problem' || cause?.name === 'Unreachable'
    return told ? cause : new Unreachable('upload failed')
  }
  const status = response.getStatus()
  if (ASK_AGAIN.has(status)) return new Unreachable(`status ${status}`)
  return failure(parse(response.getBody()), status)
}

/** The last answer may be lost, so what became of the bytes is asked for. */
async function finished(base: string, tokens: ApiTokens, path: string): Promise<Attachment> {
  const { body } = await authorized(tokens, 5_000, (token) =>
    call<{ attachment?: Attachment | null }>(base, path, { token }),
  )
  if (body.attachment === null || body.attachment === undefined) throw new Unreachable('not complete')
  return body.attachment
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
