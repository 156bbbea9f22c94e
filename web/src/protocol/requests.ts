import { Problem, Unreachable } from './problem'
import type { Answer, Command, ErrorFrame } from './types'

interface Waiting {
  command: Command
  resolve(answer: Answer): void
  reject(error: Error): void
}

/**
 * The commands of one connection and their answers, matched by `ref`. Answers may come in any order. The server closes
 * a connection with more than `limit` unanswered commands, so what exceeds it waits here in order.
 */
export class Requests {
  #ref = 0
  #sent = new Map<number, Waiting>()
  #queue: Waiting[] = []
  #limit: number
  readonly #write: (frame: Command & { ref: number }) => void

  constructor(limit: number, write: (frame: Command & { ref: number }) => void) {
    this.#limit = limit
    this.#write = write
  }

  set limit(limit: number) {
    this.#limit = limit
    this.#flush()
  }

  add(command: Command): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject })
      this.#flush()
    })
  }

  answer(frame: Answer | ErrorFrame): void {
    const waiting = frame.ref === undefined ? undefined : this.#sent.get(frame.ref)
    if (waiting === undefined || frame.ref === undefined) return
    this.#sent.delete(frame.ref)
    if (frame.op === 'error') waiting.reject(new Problem(frame))
    else waiting.resolve(frame)
    this.#flush()
  }

  /** The connection is gone: nobody knows what became of these. */
  abandon(): void {
    const all = [...this.#sent.values(), ...this.#queue]
    this.#sent.clear()
    this.#queue = []
    for (const waiting of all) waiting.reject(new Unreachable('connection lost'))
  }

  #flush(): void {
    while (this.#sent.size < this.#limit) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) return
      const ref = ++this.#ref
      this.#sent.set(ref, waiting)
      this.#write({ ...waiting.command, ref })
    }
  }
}
