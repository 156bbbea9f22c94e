import { describe, expect, it } from 'vitest'
import type { Message } from '../src/protocol/types'
import { Heights } from '../src/ui/heights'
import type { Row } from '../src/ui/rows'

const message = { id: 'm', seq: 1, text: '見回りました。', kind: 'text', at: 0, author: { id: 'a', name: '高橋 健' } } as unknown as Message
const row = (continued: boolean): Row => ({ type: 'message', key: 'm', message, continued })

describe('how tall a row is', () => {
  it('is as it was measured', () => {
    const heights = new Heights()
    heights.set(row(false), 58.4)
    expect(heights.of(row(false))).toBe(58.4)
  })

  // The room above would else become lower under the reader's eyes once the row stands on the page again.
  it("is without the author's line when the row was measured as the first and continues an older one now", () => {
    const heights = new Heights()
    heights.size = 15
    heights.set(row(false), 58.4)
    expect(heights.of(row(true))).toBeCloseTo(58.4 - 27.5)
    heights.set(row(true), 31)
    expect(heights.of(row(true))).toBe(31)
    expect(heights.of(row(false))).toBeCloseTo(31 + 27.5)
  })
})
