import type { Pin } from '../timeline/pins';
import type { StudioApi } from './api';
import type { ServerClock } from './clock';
import { ControlLost, type Command, type Control } from './publish/control';

/** What became of a tap on a product. capturedAt is the page's clock at the tap. */
export interface Tap {
  readonly productId: string;
  readonly what: 'pin' | 'unpin';
  readonly capturedAt: number;
  readonly via: 'channel' | 'api';
  readonly tookMs: number;
  readonly failed: string | null; // the server's words
}

export interface PinDeskOptions {
  readonly control: Pick<Control, 'open' | 'command'>;
  readonly api: Pick<StudioApi, 'pin' | 'unpin'>;
  readonly clock: ServerClock;
  /** What is pinned, as the server says. */
  readonly pins: () => readonly Pin[];
  /** Asks the server again what is pinned. */
  readonly refresh: () => Promise<void>;
  readonly onChange: () => void;
  readonly now: () => number;
}

/**
 * Pins and unpins at the instant of the tap: through the session's own channel, which knows the picture that was captured
 * then, or else through the API, with the tap on the server's clock. A tap is shown as done before the server says so.
 */
export class PinDesk {
  readonly taps: Tap[] = [];
  private readonly wanted = new Map<string, 'pin' | 'unpin'>(); // by product, while it is under way

  constructor(private readonly options: PinDeskOptions) {}

  /** The products on screen, with what is under way taken for done. */
  showing(): ReadonlySet<string> {
    const on = new Set(this.options.pins().map((p) => p.productId));
    for (const [id, what] of this.wanted) {
      if (what === 'pin') on.add(id);
      else on.delete(id);
    }
    return on;
  }

  pending(): ReadonlySet<string> {
    return new Set(this.wanted.keys());
  }

  /**
   * Pins a product, in place of the others when it is to be the only one; or unpins it. Returns the server's words when it
   * was refused, null when all went well or the same product is under way already.
   */
  async toggle(productId: string, capturedAt: number, single: boolean): Promise<string | null> {
    if (this.wanted.has(productId)) return null;
    const on = this.options.pins().filter((p) => p.productId === productId);
    const others = this.options.pins().filter((p) => p.productId !== productId);
    if (on.length > 0) return this.run([productId], 'unpin', () => this.unpinAll(on, capturedAt));
    const replaced = single ? others : [];
    return this.run([productId], 'pin', async () => {
      await this.pin(productId, capturedAt);
      for (const p of replaced) this.wanted.set(p.productId, 'unpin');
      try {
        await this.unpinAll(replaced, capturedAt);
        await this.options.refresh();
      } finally {
        for (const p of replaced) this.wanted.delete(p.productId);
      }
    });
  }

  private async run(ids: readonly string[], what: 'pin' | 'unpin', act: () => Promise<void>): Promise<string | null> {
    ids.forEach((id) => this.wanted.set(id, what));
    this.options.onChange();
    try {
      await act();
      await this.options.refresh();
      return null;
    } catch (why) {
      return why instanceof Error ? why.message : '';
    } finally {
      ids.forEach((id) => this.wanted.delete(id));
      this.options.onChange();
    }
  }

  private pin(productId: string, capturedAt: number): Promise<void> {
    const command: Command = { type: 'pin', product_id: productId, featured: true, captured_at: capturedAt };
    return this.send(productId, 'pin', command, (serverMs) => this.options.api.pin(productId, true, serverMs));
  }

  private async unpinAll(pins: readonly Pin[], capturedAt: number): Promise<void> {
    for (const p of pins) {
      const command: Command = { type: 'unpin', pin_id: p.id, captured_at: capturedAt };
      await this.send(p.productId, 'unpin', command, (serverMs) => this.options.api.unpin(p.id, serverMs));
    }
  }

  /** Sends by the channel; by the API where there is none, or it gave no answer: doing either twice does no harm. */
  private async send(productId: string, what: Tap['what'], command: Command, byApi: (serverMs: number) => Promise<void>): Promise<void> {
    const { control, clock, now } = this.options;
    const began = now();
    const note = (via: Tap['via'], failed: string | null): void => {
      this.taps.push({ productId, what, capturedAt: command.captured_at, via, tookMs: now() - began, failed });
      if (this.taps.length > 200) this.taps.shift();
    };
    let via: Tap['via'] = control.open ? 'channel' : 'api';
    try {
      if (control.open) await control.command(command).catch((why: unknown) => {
        if (!(why instanceof ControlLost)) throw why;
        via = 'api';
      });
      if (via === 'api') await byApi(clock.at(command.captured_at));
      note(via, null);
    } catch (why) {
      note(via, why instanceof Error ? why.message : String(why));
      throw why;
    }
  }
}
