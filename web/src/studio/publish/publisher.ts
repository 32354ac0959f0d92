import { backoff } from '../../channel/backoff';
import { WhipError } from '../whip/client';
import type { Totals } from './quality';

/**
 * What a connection tells of itself. up: media flow; shaky: nothing is heard, it may come back by itself; down: this path
 * is lost; gone: the server has ended the session.
 */
export type LinkEvent = 'up' | 'shaky' | 'down' | 'gone';

/** One connection to the server. */
export interface Link {
  /** Resolves when the server has accepted; 'up' comes later. Throws WhipError when it is refused. */
  start(): Promise<void>;
  /** Looks for a new path in the same session. Throws when the server knows it no more. */
  restart(): Promise<void>;
  /** end: the show is over. Otherwise it goes on in another connection. Never throws. */
  close(end: boolean): Promise<void>;
  replace(video: MediaStreamTrack, audio: MediaStreamTrack): Promise<void>;
  totals(): Promise<Totals>;
}

export type PublisherState = 'off' | 'connecting' | 'up' | 'recovering' | 'refused' | 'displaced';

export interface PublisherOptions {
  /** Makes a connection for what is to be sent now. */
  readonly makeLink: (tell: (event: LinkEvent) => void) => Promise<Link> | Link;
  /** Whether somebody else publishes to the room now: two phones must not push each other out for ever. */
  readonly displaced: () => Promise<boolean>;
  readonly onChange: () => void;
  readonly random?: () => number;
}

const shakyMs = 1_500; // until a silent connection looks for a new path
const restartMs = 6_000; // until a new path is given up for a new session
const connectMs = 15_000; // until a session that was accepted must be up
const settledMs = 10_000; // a connection that lasted this long was a good one
const backoffMs = { base: 600, cap: 8_000 };

/**
 * Keeps the show on air: when the connection falters it looks for a new path in the same session, then for a new
 * session, for as long as it is on. A show goes on through all of them, within the server's reconnect window.
 */
export class Publisher {
  state: PublisherState = 'off';
  /** Why the last try failed, null while all is well. */
  trouble: WhipError | null = null;
  private link: Link | null = null;
  private attempt = 0;
  private restarting = false;
  private everUp = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private run = 0; // counts what has been begun: what belongs to an older one is void

  constructor(private readonly options: PublisherOptions) {}

  get current(): Link | null {
    return this.link;
  }

  start(): void {
    if (this.state !== 'off' && this.state !== 'refused' && this.state !== 'displaced') return;
    this.attempt = 0;
    this.everUp = false;
    this.trouble = null;
    this.become('connecting');
    void this.open();
  }

  /** Ends the show, or only leaves it to whoever goes on with it. */
  async stop(end = true): Promise<void> {
    const { link } = this;
    this.drop();
    this.become('off');
    await link?.close(end);
  }

  /** Tries at once when it is only waiting: the network is back, or the page is seen again. */
  wake(): void {
    if (this.state === 'recovering' && !this.link) this.reopen(0);
  }

  private async open(): Promise<void> {
    const run = ++this.run;
    const mine = (): boolean => run === this.run;
    try {
      const link = await this.options.makeLink((event) => mine() && this.heard(event));
      if (!mine()) return void link.close(false);
      this.link = link;
      this.after(connectMs, () => this.reopen());
      await link.start();
    } catch (why) {
      if (mine()) this.failed(why instanceof WhipError ? why : new WhipError(0, why instanceof Error ? why.message : '', null));
    }
  }

  private heard(event: LinkEvent): void {
    switch (event) {
      case 'up':
        return this.isUp();
      case 'shaky':
        if (this.state === 'up') this.after(shakyMs, () => void this.restart());
        return;
      case 'down':
        if (this.state === 'up') void this.restart();
        else this.reopen();
        return;
      case 'gone':
        this.reopen();
    }
  }

  private isUp(): void {
    clearTimeout(this.timer);
    clearTimeout(this.settle);
    this.restarting = false;
    this.everUp = true;
    this.trouble = null;
    this.settle = setTimeout(() => (this.attempt = 0), settledMs);
    this.become('up');
  }

  private async restart(): Promise<void> {
    const { link, run } = this;
    if (!link || this.restarting) return;
    this.restarting = true;
    this.become('recovering');
    this.after(restartMs, () => this.reopen());
    try {
      await link.restart();
    } catch {
      if (run === this.run) this.reopen(); // up in the meantime or not: the server knows it no more
    }
  }

  private failed(why: WhipError): void {
    this.trouble = why;
    if (!hopeless(why.status)) return this.reopen(why.retryAfterMs ?? undefined);
    const { link } = this;
    this.drop();
    this.become('refused');
    void link?.close(false);
  }

  /** Begins a new session after a while. The old one is not ended: that would end the show. */
  private reopen(waitMs?: number): void {
    const { link } = this;
    this.drop();
    void link?.close(false);
    this.become(this.everUp ? 'recovering' : 'connecting');
    const first = this.attempt++ === 0 && this.everUp;
    const wait = waitMs ?? (first ? 0 : backoff(this.attempt - 1, this.options.random, backoffMs.base, backoffMs.cap));
    this.after(wait, () => void this.comeBack());
  }

  private async comeBack(): Promise<void> {
    const run = ++this.run;
    const displaced = this.everUp && (await this.options.displaced().catch(() => false));
    if (run !== this.run) return;
    if (displaced) { this.become('displaced'); return; }
    await this.open();
  }

  private drop(): void {
    this.run++;
    this.link = null;
    this.restarting = false;
    clearTimeout(this.timer);
    clearTimeout(this.settle);
  }

  private after(ms: number, act: () => void): void {
    clearTimeout(this.timer);
    const { run } = this;
    this.timer = setTimeout(() => run === this.run && act(), ms);
  }

  private become(state: PublisherState): void {
    if (this.state === state && state !== 'recovering' && state !== 'connecting') return;
    this.state = state;
    this.options.onChange();
  }
}

/** A refusal that the same offer would meet again. */
function hopeless(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}
