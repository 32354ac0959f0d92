/**
 * How long to wait before try number `attempt` (0 is the first): doubling from baseMs to capMs, the upper half of it
 * drawn at random so that viewers who lost the server together do not come back together.
 */
export function backoff(attempt: number, random: () => number = Math.random, baseMs = 500, capMs = 20_000): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + (ceiling / 2) * random();
}
