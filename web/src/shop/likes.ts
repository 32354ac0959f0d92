import type { ShopClient } from './client';

const sendMs = 1_000;
const most = 30; // a request

/** Adds taps up and sends them once a second at most. What cannot be sent is forgotten: it is applause. */
export class Likes {
  private taps = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: ShopClient,
    private readonly show: () => string | null,
  ) {}

  tap(): void {
    this.taps = Math.min(this.taps + 1, most);
    this.timer ??= setTimeout(() => void this.send(), sendMs);
  }

  private async send(): Promise<void> {
    this.timer = undefined;
    const showId = this.show();
    const count = this.taps;
    this.taps = 0;
    if (showId === null || count === 0) return;
    await this.client.act('POST', `/api/v1/shows/${encodeURIComponent(showId)}/likes`, { count }).catch(() => undefined);
  }
}
