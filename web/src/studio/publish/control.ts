import { isFields } from '../../product/product';

/**
 * The page's clock in milliseconds since 1970, with fractions. It is the steady clock that began at the page's opening,
 * which the browser's RTCP sender reports follow as well: a wall clock set in mid-show moves neither.
 */
export function pageClock(): number {
  return performance.timeOrigin + performance.now();
}

/** When an event happened on the page's clock: the touch, not the moment its handler found time to run. */
export function happenedAt(event: Event): number {
  const now = performance.now();
  const stamp = event.timeStamp;
  const believable = stamp > 0 && stamp <= now && now - stamp < 5_000;
  return performance.timeOrigin + (believable ? stamp : now);
}

/** The part of an RTCDataChannel that is used here. */
export interface Pipe {
  readonly readyState: string;
  send(data: string): void;
}

export type Command =
  | { readonly type: 'pin'; readonly product_id: string; readonly featured: boolean; readonly captured_at: number }
  | { readonly type: 'unpin'; readonly pin_id?: string; readonly product_id?: string; readonly captured_at: number };

/** The channel is not open or went away before the answer: the command may or may not have been carried out. */
export class ControlLost extends Error {}

/** The server has refused a command, in its own words. */
export class ControlRefused extends Error {}

interface Waiting {
  readonly done: () => void;
  readonly fail: (why: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

const answerMs = 4_000;

/**
 * What the page and the server say to each other beside the media: the server asks for the page's clock, the page
 * pins. It outlives its data channels: each new session brings one.
 */
export class Control {
  private pipe: Pipe | null = null;
  private next = 1;
  private readonly waiting = new Map<string, Waiting>();

  constructor(private readonly clock: () => number = pageClock) {}

  get open(): boolean {
    return this.pipe?.readyState === 'open';
  }

  attach(pipe: Pipe): void {
    this.detach();
    this.pipe = pipe;
  }

  /** Gives up on the answers that are still to come. */
  detach(): void {
    this.pipe = null;
    for (const id of [...this.waiting.keys()]) this.settle(id)?.fail(new ControlLost('the channel has closed'));
  }

  /** Sends a command; resolves when the server has carried it out. Throws ControlLost or ControlRefused. */
  command(command: Command): Promise<void> {
    return new Promise((done, fail) => {
      const { pipe } = this;
      if (pipe?.readyState !== 'open') return fail(new ControlLost('the channel is not open'));
      const id = `c${this.next++}`;
      const timer = setTimeout(() => this.settle(id)?.fail(new ControlLost('no answer')), answerMs);
      this.waiting.set(id, { done, fail, timer });
      pipe.send(JSON.stringify({ ...command, id }));
    });
  }

  /** Takes a message of the server. What it does not know, it passes over. */
  take(data: unknown): void {
    const m = parse(data);
    if (!isFields(m)) return;
    const id = typeof m.id === 'string' ? m.id : '';
    switch (m.type) {
      case 'ping':
        // Answered before anything else: how long this takes goes into the measurement.
        if (this.pipe?.readyState === 'open') this.pipe.send(JSON.stringify({ type: 'pong', id: m.id, now: this.clock() }));
        break;
      case 'ack':
        this.settle(id)?.done();
        break;
      case 'error':
        this.settle(id)?.fail(new ControlRefused(typeof m.message === 'string' ? m.message : ''));
    }
  }

  private settle(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

function parse(data: unknown): unknown {
  try {
    return typeof data === 'string' ? JSON.parse(data) : null;
  } catch {
    return null;
  }
}
