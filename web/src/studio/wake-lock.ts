/** Keeps the screen on while it is wanted. Browsers let go of the lock of a hidden page; it is taken again. */
export class WakeLock {
  private wanted = false;
  private lock: WakeLockSentinel | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.apply());
  }

  want(on: boolean): void {
    if (this.wanted === on) return;
    this.wanted = on;
    void this.apply();
  }

  private async apply(): Promise<void> {
    const api = (navigator as { readonly wakeLock?: ScreenLocks }).wakeLock;
    if (!this.wanted) {
      await this.lock?.release().catch(() => undefined);
      this.lock = null;
    } else if (document.visibilityState === 'visible' && (this.lock === null || this.lock.released)) {
      this.lock = (await api?.request('screen').catch(() => null)) ?? null; // refused on low battery: the screen may go dark
    }
  }
}

interface ScreenLocks {
  request(type: 'screen'): Promise<WakeLockSentinel>;
}
