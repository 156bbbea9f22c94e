import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client'

interface Held {
  length: number
  name: string
  bytes: Buffer[]
  offset: number
}

/** The server's side of tus 1.0 as docs/protocol.md has it: creation, termination, and the offset as the only truth. */
export class TusUploads {
  readonly held = new Map<string, Held>()
  readonly calls: string[] = []
  /** The line dies when so many more bytes have arrived. */
  cutAfter: number | null = null
  refuse: (call: string) => { status: number; code: number } | null = () => null
  /** Done, but the answer never arrives. */
  loseAnswer: (call: string) => boolean = () => false
  #serial = 0
  readonly #accepts: (token: string) => boolean

  constructor(accepts: (token: string) => boolean) {
    this.#accepts = accepts
  }

  content(path: string): string {
    return Buffer.concat(this.held.get(path)?.bytes ?? []).toString()
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!
    const { socket } = request
    const call = `${request.method} ${path}`
    this.calls.push(call)
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const refused = this.#accepts(token) ? this.refuse(call) : { status: 401, code: 1004 }
    if (refused !== null) {
      request.resume()
      await new Promise((resolve) => request.on('end', resolve))
      const { status, code } = refused
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code, name: 'x', field: null, params: {}, ja: `${code}の説明`, en: `about ${code}` } }))
      return
    }
    const [status, headers, body] = await this.#answer(request, path)
    if (this.loseAnswer(call) || status === 0) {
      socket.destroy()
      return
    }
    response.writeHead(status, { 'tus-resumable': '1.0.0', ...headers })
    response.end(body)
  }

  async #answer(request: IncomingMessage, path: string): Promise<[number, Record<string, string>, string?]> {
    if (request.method === 'POST') return [201, { location: this.#create(request) }]
    const upload = this.held.get(path)
    if (upload === undefined) {
      request.resume()
      return [404, {}]
    }
    const offset = () => ({ 'upload-offset': String(upload.offset), 'upload-length': String(upload.length) })
    if (request.method === 'HEAD') return [200, offset()]
    if (request.method === 'DELETE') {
      this.held.delete(path)
      return [204, {}]
    }
    if (request.method === 'GET') {
      const attachment = upload.offset === upload.length ? { id: `attachment of ${path}`, name: upload.name } : null
      return [200, { 'content-type': 'application/json' }, JSON.stringify({ ...upload, bytes: null, attachment })]
    }
    if (Number(request.headers['upload-offset']) !== upload.offset) return [409, offset()]
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const kept = chunk.subarray(0, this.cutAfter ?? chunk.length)
      upload.bytes.push(kept)
      upload.offset += kept.length
      if (this.cutAfter === null) continue
      this.cutAfter -= kept.length
      if (this.cutAfter > 0) continue
      this.cutAfter = null
      return [0, {}]
    }
    return [204, offset()]
  }

  #create(request: IncomingMessage): string {
    const path = `/api/uploads/${++this.#serial}`
    const name = /filename ([^,]*)/.exec(request.headers['upload-metadata'] as string)?.[1] ?? ''
    const length = Number(request.headers['upload-length'])
    this.held.set(path, { length, name: Buffer.from(name, 'base64').toString(), bytes: [], offset: 0 })
    return path
  }
}

/** What a browser's XMLHttpRequest does for tus-js-client, over node's sockets. */
export class FetchStack implements HttpStack {
  createRequest(method: string, url: string): HttpRequest {
    const headers: Record<string, string> = {}
    const stop = new AbortController()
    return {
      getMethod: () => method,
      getURL: () => url,
      setHeader: (name, value) => void (headers[name] = value),
      getHeader: (name) => headers[name],
      setProgressHandler: () => undefined,
      send: async (body: Blob | null = null): Promise<HttpResponse> => {
        const response = await fetch(url, { method, headers, body, signal: stop.signal })
        const text = await response.text()
        return {
          getStatus: () => response.status,
          getHeader: (name) => response.headers.get(name) ?? undefined,
          getBody: () => text,
          getUnderlyingObject: () => response,
        }
      },
      abort: async () => stop.abort(),
      getUnderlyingObject: () => null,
    }
  }

  getName(): string {
    return 'FetchStack'
  }
}
