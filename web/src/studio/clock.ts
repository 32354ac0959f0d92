import { pageClock } from './publish/control';

/** How long an answer about the time may be believed before a slower one may take its place. */
const staleMs = 10 * 60_000;

/**
 * The server's wall clock, learned from questions and answers: an answer is off by at most half of the time it took, so
 * the quickest one is kept.
 */
export class ServerClock {
  private best: { offsetMs: number; roundTripMs: number; atMs: number } | null = null;

  constructor(private readonly now: () => number = pageClock) {}

  /** Takes an answer to a question asked and answered at these instants of the page's clock. */
  learn(askedMs: number, answeredMs: number, serverMs: number): void {
    const roundTripMs = answeredMs - askedMs;
    if (!Number.isFinite(serverMs) || roundTripMs < 0) return;
    const { best } = this;
    if (best && roundTripMs >= best.roundTripMs && answeredMs - best.atMs < staleMs) return;
    this.best = { offsetMs: serverMs - (askedMs + answeredMs) / 2, roundTripMs, atMs: answeredMs };
  }

  get known(): boolean {
    return this.best !== null;
  }

  /** The server's time at an instant of the page's clock; the page's own while the server has not told. */
  at(pageMs: number): number {
    return pageMs + (this.best?.offsetMs ?? 0);
  }

  serverNow(): number {
    return this.at(this.now());
  }
}
