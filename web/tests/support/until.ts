/** Waits for a condition, with a deadline; the message of the failure is the condition itself. */
export async function until<T>(condition: () => T | Promise<T>, deadline = 5_000): Promise<NonNullable<T>> {
  const end = Date.now() + deadline
  for (;;) {
    const value = await condition()
    if (value) return value as NonNullable<T>
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
