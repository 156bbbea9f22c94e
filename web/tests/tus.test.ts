import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiTokens } from '../src/protocol/api'
import { Problem, Unreachable } from '../src/protocol/problem'
import { SignedOut } from '../src/protocol/session'
import { type FileJob, fileSender } from '../src/protocol/tus'
import { TestServer } from './support/server'
import { FetchStack } from './support/tusUploads'

let server: TestServer
let token: string
const tokens: ApiTokens & { asked: number } = {
  asked: 0,
  ready: () => null,
  token: async () => {
    tokens.asked += 1
    return token
  },
  replace: async () => (token = server.newSession()['access_token']),
}

beforeEach(async () => {
  server = await new TestServer().listen()
  token = server.newSession()['access_token']
  tokens.asked = 0
})

afterEach(() => server.stop())

const TEXT = '縦断図の内容'.repeat(2000)
const SIZE = new Blob([TEXT]).size

function job(extra: Partial<FileJob> = {}) {
  const created: string[] = []
  const progress: number[] = []
  const made: FileJob = {
    name: '縦断図.pdf',
    blob: new Blob([TEXT]),
    created: (path) => created.push(path),
    progress: (sent) => progress.push(sent),
    signal: new AbortController().signal,
    ...extra,
  }
  return { job: made, created, progress }
}

const sender = (chunk = 10_000) => fileSender(server.base, tokens, { httpStack: new FetchStack(), chunk, stall: 2_000 })

describe('a file', () => {
  it('arrives whole, in pieces, under its name', async () => {
    const { job: file, created, progress } = job()
    const attachment = await sender()(file)
    expect(attachment).toMatchObject({ id: 'attachment of /api/uploads/1', name: '縦断図.pdf' })
    expect(server.files.content('/api/uploads/1')).toBe(TEXT)
    expect(server.files.calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(Math.ceil(SIZE / 10_000))
    expect(created[0]).toBe('/api/uploads/1')
    expect(progress.at(-1)).toBe(SIZE)
  })

  it('goes on at the offset after a cut', async () => {
    server.files.cutAfter = 15_000
    const { job: file, created } = job()
    await expect(sender()(file)).rejects.toBeInstanceOf(Unreachable)
    expect(server.files.content('/api/uploads/1').length).toBeLessThan(TEXT.length)
    const again = job({ path: created[0] })
    await sender()(again.job)
    expect(again.progress[0]).toBe(15_000)
    expect(server.files.content('/api/uploads/1')).toBe(TEXT)
    expect(server.files.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1)
  })

  it('begins anew when the answer to its creation was lost', async () => {
    let lost = 0
    server.files.loseAnswer = (call) => call.startsWith('POST') && lost++ === 0
    await expect(sender()(job().job)).rejects.toBeInstanceOf(Unreachable)
    await sender()(job().job)
    expect(server.files.content('/api/uploads/2')).toBe(TEXT)
  })

  it('is complete even if its last answer was lost', async () => {
    let lost = 0
    server.files.loseAnswer = (call) => call.startsWith('PATCH') && lost++ === 0
    const { job: file, created } = job()
    await expect(sender(SIZE)(file)).rejects.toBeInstanceOf(Unreachable)
    await expect(sender(SIZE)(job({ path: created[0] }).job)).resolves.toMatchObject({ name: '縦断図.pdf' })
    expect(server.files.content('/api/uploads/1')).toBe(TEXT)
  })

  it('starts over where the server has swept it', async () => {
    await sender()(job().job)
    server.files.held.clear()
    const { job: file, created } = job({ path: '/api/uploads/1' })
    await sender()(file)
    expect(created.at(-1)).toBe('/api/uploads/2')
    expect(server.files.content('/api/uploads/2')).toBe(TEXT)
  })

  it('asks for a token with each piece, and for another when one is refused', async () => {
    const old = token
    await sender()(job().job)
    expect(tokens.asked).toBeGreaterThan(3)
    server.revoked.add(old)
    await sender()(job().job)
    expect(token).not.toBe(old)
    expect(server.files.content('/api/uploads/2')).toBe(TEXT)
  })

  it('rejects with what the server said', async () => {
    server.files.refuse = (call) => (call.startsWith('POST') ? { status: 413, code: 5010 } : null)
    const refused = await sender()(job().job).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Problem)
    expect((refused as Problem).code).toBe(5010)
  })

  it('is tried again while another request still holds it', async () => {
    const { job: file, created } = job()
    server.files.refuse = (call) => (call.startsWith('PATCH') ? { status: 423, code: 8006 } : null)
    await expect(sender()(file)).rejects.toBeInstanceOf(Unreachable)
    server.files.refuse = () => null
    await sender()(job({ path: created[0] }).job)
    expect(server.files.content('/api/uploads/1')).toBe(TEXT)
  })

  it('says that the person is signed out', async () => {
    let left = 2
    const leaving: ApiTokens = { ...tokens, token: async () => (left-- > 0 ? token : Promise.reject(new SignedOut())) }
    const send = fileSender(server.base, leaving, { httpStack: new FetchStack(), chunk: 10_000 })
    await expect(send(job().job)).rejects.toBeInstanceOf(SignedOut)
  })

  it('stops when told to', async () => {
    const stop = new AbortController()
    const { job: file } = job({ signal: stop.signal, created: () => stop.abort() })
    await expect(sender()(file)).rejects.toBeInstanceOf(Unreachable)
    expect(server.files.content('/api/uploads/1')).not.toBe(TEXT)
  })

  it('is given up when nothing moves, to be tried again', async () => {
    server.files.serve = () => new Promise(() => undefined)
    const send = fileSender(server.base, tokens, { httpStack: new FetchStack(), stall: 30 })
    await expect(send(job().job)).rejects.toBeInstanceOf(Unreachable)
  })
})
