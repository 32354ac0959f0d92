/** What the latency governor looks at, in seconds. */
export interface Lag {
  readonly latency: number; // behind the live edge
  readonly target: number;
  readonly ahead: number; // buffered in front of the playhead
  readonly rate: number; // playback rate now
}

export type LagAction = { readonly do: 'rate'; readonly rate: number } | { readonly do: 'jump' };

/** Beyond this a viewer would wait minutes for a gentle catch-up. */
const jumpBeyond = 5;
const hurryBeyond = 0.4;
const settleBelow = 0.1;
const safeAhead = 0.35;

/**
 * Keeps a live player near its target: a slightly higher speed, which is not heard, while there is enough in the buffer
 * to afford it; a jump when it is far behind.
 */
export function govern(lag: Lag): LagAction {
  const over = lag.latency - lag.target;
  if (over > jumpBeyond) return { do: 'jump' };
  const hurry = over > (lag.rate > 1 ? settleBelow : hurryBeyond) && lag.ahead > safeAhead;
  if (!hurry) return { do: 'rate', rate: 1 };
  return { do: 'rate', rate: over > 1.5 ? 1.1 : 1.05 };
}
