const SOON = 400
const SPREAD = 2_000

/** Does something soon, once for all that asked: spread, so that a thousand members do not ask in the same moment. */
export class Later {
  readonly #work: () => unknown
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(work: () => unknown) {
    this.#work = work
  }

  soon(spread = SPREAD, random = Math.random): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        void this.#work()
      },
      SOON + spread * random(),
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
