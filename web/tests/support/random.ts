/** A small seeded generator (xorshift32): the same seed gives the same story, so a failure can be replayed. */
export function random(seed: number): () => number {
  let state = (seed + 1) * 0x9e37 + 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
