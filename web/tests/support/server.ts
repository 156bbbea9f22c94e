import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket as TcpSocket } from 'node:net'
import { decode, encode } from '@msgpack/msgpack'
import { WebSocket, WebSocketServer } from 'ws'
import { TusUploads } from './tusUploads'

type Frame = Record<string, any>

/** One client's connection, as the server sees it. */
export class Peer {
  readonly received: Frame[] = []
  token: string | null = null
  live = new Set<string>()
  constructor(
    readonly ws: WebSocket,
    readonly tcp: TcpSocket,
  ) {}

  send(frame: Frame): void {
    this.ws.send(encode(frame))
  }

  /** Half-open: nothing is read, nothing is answered, and nobody says so. */
  freeze(): void {
    this.tcp.pause()
    this.ws.send = () => undefined
  }
}

interface Refresh {
  family: string
  used: boolean
  /** The Idempotency-Key it was used under, and what it gave: the same request gets the same answer. */
  key?: string
  next?: Frame
}

const problem = (code: number, name: string, params: Frame = {}) => ({
  code,
  name,
  field: null,
  params,
  ja: `${code}の説明`,
  en: `about ${code}`,
})

/**
 * A small server that speaks docs/protocol.md over real sockets: sessions with rotation and reuse detection, one
 * stream a room, idempotent sends and uploads. Faults are switched on by its public fields.
 */
export class TestServer {
  readonly peers: Peer[] = []
  readonly rooms = new Map<string, Frame[]>()
  readonly sends = new Map<string, { body: string; ack: Frame }>()
  readonly uploads = new Map<string, Frame>()
  /** Resumable ones. */
  readonly files = new TusUploads((token) => this.accepts(token))
  readonly calls: { path: string; key: string | undefined; token: string | undefined }[] = []
  readonly revoked = new Set<string>()
  epoch = 'epoch-1'
  lifetime = 600_000
  clockAhead = 0
  /** Answers to commands are withheld by this, after they took effect: an ack lost on the way. */
  loseAnswer: (frame: Frame) => boolean = () => false
  /** An error instead of doing it. */
  refuse: (frame: Frame) => { code: number; name: string; params?: Frame } | null = () => null
  /** Called before an HTTP answer is written; true: cut the connection instead. */
  cutHttp: (path: string) => boolean = () => false
  refuseHttp: (path: string) => { status: number; code: number; name: string; params?: Frame } | null = () => null
  refreshDelay = 0
  deaf = false
  #refresh = new Map<string, Refresh>()
  #access = new Map<string, string>()
  #endedFamilies = new Set<string>()
  #serial = 0
  #http: Server
  #ws: WebSocketServer

  constructor() {
    this.#http = createServer((request, response) => void this.#serve(request, response))
    this.#ws = new WebSocketServer({ server: this.#http, path: '/ws' })
    this.#ws.on('connection', (ws, request) => this.#connected(ws, request.socket))
  }

  /** On a free port, or on the one that an earlier server had. */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#http.listen(port, '127.0.0.1', resolve))
    return this
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  get url(): string {
    return this.base.replace('http', 'ws') + '/ws'
  }

  async stop(): Promise<void> {
    for (const peer of this.peers) peer.ws.terminate()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  get peer(): Peer {
    const peer = this.peers.at(-1)
    if (peer === undefined) throw new Error('nobody connected')
    return peer
  }

  /** Commits an event and gives it to every connection that is live in the room. */
  commit(room: string, event: Frame, only?: (peer: Peer) => boolean): Frame {
    const events = this.rooms.get(room) ?? []
    this.rooms.set(room, events)
    const full = { op: 'event', room, seq: events.length + 1, at: Date.now(), ...event }
    events.push(full)
    for (const peer of this.peers) {
      if (peer.live.has(room) && peer.ws.readyState === 1 && (only?.(peer) ?? true)) peer.send(full)
    }
    return full
  }

  newSession(family = `family-${++this.#serial}`): Frame {
    const access = `access-${++this.#serial}`
    const refresh = `refresh-${++this.#serial}`
    this.#refresh.set(refresh, { family, used: false })
    this.#access.set(access, family)
    const now = Date.now() + this.clockAhead
    return {
      access_token: access,
      access_expires: now + this.lifetime,
      refresh_token: refresh,
      refresh_expires: now + 30 * 86_400_000,
      device: family,
      user: 'me',
    }
  }

  accepts(token: string): boolean {
    const family = this.#access.get(token)
    return family !== undefined && !this.#endedFamilies.has(family) && !this.revoked.has(token)
  }

  // --- HTTP -----------------------------------------------------------------------------------------------------

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url!.startsWith('/api/uploads')) return this.files.serve(request, response)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const path = request.url!.split('?')[0]!
    const token = request.headers.authorization?.replace('Bearer ', '')
    const key = request.headers['idempotency-key'] as string | undefined
    this.calls.push({ path, key, token })
    const [status, body] = await this.#answer(path, raw, token, key)
    if (this.cutHttp(path)) {
      request.socket.destroy()
      return
    }
    response.writeHead(status, {
      'content-type': 'application/json',
      date: new Date(Date.now() + this.clockAhead).toUTCString(),
    })
    response.end(JSON.stringify(body))
  }

  async #answer(path: string, raw: Buffer, token?: string, key?: string): Promise<[number, Frame]> {
    const refused = this.refuseHttp(path)
    if (refused !== null) return [refused.status, { error: problem(refused.code, refused.name, refused.params) }]
    if (path === '/api/sign-in') return [200, { flow: 'flow-1', next: ['password'], session: null }]
    if (path === '/api/sign-in/password') {
      const { password } = JSON.parse(raw.toString())
      if (password !== 'correct') return [401, { error: problem(1001, 'sign_in_failed') }]
      return [200, { flow: null, next: [], session: this.newSession() }]
    }
    if (path === '/api/sessions/refresh') return this.#rotate(JSON.parse(raw.toString()).refresh_token, key)
    if (token === undefined || !this.accepts(token)) return [401, { error: problem(1004, 'token_invalid') }]
    if (path === '/api/photos') return [200, this.#upload(raw, key!)]
    return [200, { path }]
  }

  async #rotate(refreshToken: string, key?: string): Promise<[number, Frame]> {
    const held = this.#refresh.get(refreshToken)
    if (held === undefined || this.#endedFamilies.has(held.family)) {
      return [401, { error: problem(1004, 'token_invalid') }]
    }
    if (held.used && held.next !== undefined && held.key === key) return [200, held.next]
    if (held.used) {
      this.#endedFamilies.add(held.family)
      return [401, { error: problem(1005, 'refresh_token_reused') }]
    }
    held.used = true
    if (key !== undefined) Object.assign(held, { key, next: this.newSession(held.family) })
    if (this.refreshDelay > 0) await new Promise((resolve) => setTimeout(resolve, this.refreshDelay))
    return [200, held.next ?? this.newSession(held.family)]
  }

  #upload(raw: Buffer, key: string): Frame {
    const known = this.uploads.get(key)
    if (known !== undefined) return known
    const attachment = { id: `attachment-${++this.#serial}`, kind: 'photo', size: raw.length, state: 'ready' }
    this.uploads.set(key, attachment)
    return attachment
  }

  // --- WebSocket ------------------------------------------------------------------------------------------------

  #connected(ws: WebSocket, tcp: TcpSocket): void {
    const peer = new Peer(ws, tcp)
    this.peers.push(peer)
    ws.on('message', (data: Buffer) => {
      const frame = decode(data) as Frame
      peer.received.push(frame)
      if (!this.deaf) this.#command(peer, frame)
    })
  }

  #command(peer: Peer, frame: Frame): void {
    if (peer.token === null) {
      if (frame['op'] !== 'auth') return peer.ws.close(4502)
      if (!this.accepts(frame['token'])) return peer.ws.close(4503)
      peer.token = frame['token']
    }
    const refused = this.refuse(frame)
    const { ref } = frame
    const answer =
      refused === null
        ? this.#do(peer, frame)
        : { op: 'error', ...problem(refused.code, refused.name, refused.params) }
    if (answer !== null && !this.loseAnswer(frame)) peer.send({ ...answer, ref })
  }

  #do(peer: Peer, frame: Frame): Frame | null {
    const time = Date.now() + this.clockAhead
    switch (frame['op']) {
      case 'auth':
        return {
          op: 'hello',
          protocol: 1,
          epoch: this.epoch,
          features: ['photos', 'a-later-feature'],
          time,
          expires: time + this.lifetime,
          zone: 'lgwan',
          device: 'device',
          me: { id: 'me', name: '高橋 健' },
          limits: { frame_bytes: 65536, depth: 16, text_chars: 20000, photos: 10, unanswered: 64, photo_bytes: 4e7 },
        }
      case 'renew':
        return this.accepts(frame['token'])
          ? { op: 'result', expires: time + this.lifetime }
          : { op: 'error', ...problem(1004, 'token_invalid') }
      case 'resume':
        return this.#resume(peer, frame)
      case 'pull':
        return this.#page(peer, frame)
      case 'send':
        return this.#send(frame)
      default:
        return { op: 'result' }
    }
  }

  #resume(peer: Peer, frame: Frame): Frame {
    const rooms: Frame = {}
    for (const [room, events] of this.rooms) {
      const head = events.length
      const last = frame['rooms'][room] as number | undefined
      const other = frame['epoch'] !== null && frame['epoch'] !== this.epoch
      const state = other ? 'resync' : last === undefined || last === head ? 'live' : 'replay'
      rooms[room] = { head, state }
      if (state !== 'replay') peer.live.add(room)
    }
    for (const room of Object.keys(frame['rooms'])) rooms[room] ??= { head: 0, state: 'gone' }
    return { op: 'resumed', epoch: this.epoch, me: { head: 0, state: 'live' }, rooms }
  }

  #page(peer: Peer, frame: Frame): Frame {
    const all = this.rooms.get(frame['room']) ?? []
    const events = all.slice(frame['after'], frame['after'] + (frame['limit'] ?? 200))
    const live = frame['after'] + events.length === all.length
    if (live) peer.live.add(frame['room'])
    return { op: 'page', room: frame['room'], events, head: all.length, live }
  }

  #send(frame: Frame): Frame {
    const { ref: _, ...body } = frame
    const content = JSON.stringify(body)
    const known = this.sends.get(frame['client_msg_id'])
    if (known !== undefined) {
      if (known.body !== content) return { op: 'error', ...problem(4003, 'client_msg_id_reused') }
      return { ...known.ack, replay: true }
    }
    const message = { id: `message-${++this.#serial}`, author: { id: 'me' }, blocks: frame['blocks'] }
    const event = this.commit(frame['room'], { kind: 'message', message })
    const ack = { op: 'ack', room: frame['room'], id: message.id, seq: event['seq'], at: event['at'] }
    this.sends.set(frame['client_msg_id'], { body: content, ack })
    return ack
  }
}
