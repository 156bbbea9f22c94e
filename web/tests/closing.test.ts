import { describe, expect, it } from 'vitest'
import { backOff, LOST, verdict } from '../src/protocol/closing'

const middle = () => 0.5

describe('close codes', () => {
  it('reconnect in the whole range 4000–4499, known or not', () => {
    for (let code = 4000; code <= 4499; code++) expect(verdict(code, 0, middle).then).toBe('reconnect')
  })

  it('never reconnect by themselves in 4500–4999', () => {
    for (let code = 4500; code <= 4999; code++) expect(verdict(code, 0, middle).then).not.toBe('reconnect')
  })

  it('say what else to do', () => {
    expect(verdict(4503, 0, middle)).toEqual({ then: 'sign-in' })
    expect(verdict(4504, 0, middle)).toEqual({ then: 'erase' })
    expect(verdict(4505, 0, middle)).toEqual({ then: 'erase' })
    expect(verdict(4500, 0, middle)).toEqual({ then: 'stop' })
    expect(verdict(4506, 0, middle)).toEqual({ then: 'stop' })
    // This device may only ask how it stands: the page does that apart from the socket.
    expect(verdict(4507, 0, middle)).toEqual({ then: 'stop' })
  })

  it('ask for a new token only when it expired', () => {
    expect(verdict(4003, 0, middle)).toMatchObject({ refresh: true })
    expect(verdict(4001, 0, middle)).toMatchObject({ refresh: false })
    expect(verdict(4003, 4, middle)).toMatchObject({ refresh: true })
  })

  it('reconnect with back-off on every other code', () => {
    for (const code of [1000, 1001, 1005, LOST, 1011, 3000]) {
      expect(verdict(code, 0, middle)).toEqual({ then: 'reconnect', delay: 750, refresh: false })
    }
  })

  it('spread a restart over three seconds', () => {
    expect(verdict(4000, 0, () => 0)).toMatchObject({ delay: 0 })
    expect(verdict(4000, 0, () => 0.999)).toMatchObject({ delay: expect.closeTo(2997, 0) })
  })

  it('back off when it fails again, whatever the code', () => {
    const delays = [0, 1, 2, 3].map((attempt) => verdict(4001, attempt, () => 1))
    expect(delays.map((next) => next.then === 'reconnect' && next.delay)).toEqual([500, 1000, 2000, 4000])
  })
})

describe('back-off', () => {
  it('doubles from 1 s to 30 s', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => backOff(attempt, () => 1))).toEqual([
      1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
    ])
  })

  it('is never less than half', () => {
    expect([0, 1, 2, 5].map((attempt) => backOff(attempt, () => 0))).toEqual([500, 1000, 2000, 15000])
  })
})
