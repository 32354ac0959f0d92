import { frameRate, maxBitrate, type Definition } from '../capture/shape';
import { WhipClient } from '../whip/client';
import { Control } from './control';
import { Publisher } from './publisher';
import { judge, type Quality, type Totals } from './quality';
import { Session } from './session';

export interface BroadcastOptions {
  readonly endpoint: string;
  readonly key: () => string;
  /** What is to be sent, null while there is no camera. */
  readonly tracks: () => { video: MediaStreamTrack; audio: MediaStreamTrack } | null;
  readonly definition: () => Definition;
  readonly displaced: () => Promise<boolean>;
  readonly onChange: () => void;
}

const readEveryMs = 1_000;

/** This page on the air: the publisher, its channel, and how well it all gets out. */
export class Broadcast {
  readonly control = new Control();
  readonly publisher: Publisher;
  quality: Quality | null = null;
  private totals: Totals | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: BroadcastOptions) {
    this.publisher = new Publisher({
      makeLink: (tell) => this.makeSession(tell),
      displaced: () => options.displaced(),
      onChange: () => this.changed(),
    });
    window.addEventListener('online', () => this.publisher.wake());
    // A page that goes away says so, but does not end the show: it may be back in a moment.
    window.addEventListener('pagehide', () => void this.publisher.current?.close(false));
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.publisher.wake());
  }

  /** Sends other tracks from now on: another camera, another microphone, another cut. */
  replace(): void {
    const tracks = this.options.tracks();
    const { current } = this.publisher;
    if (tracks && current) current.replace(tracks.video, tracks.audio).catch(() => undefined); // the next session sends them
  }

  private makeSession(tell: ConstructorParameters<typeof Session>[3]): Session {
    const tracks = this.options.tracks();
    if (!tracks) throw new Error('the camera is off');
    const outgoing = { ...tracks, maxBitrate: maxBitrate(this.options.definition()), maxFramerate: frameRate };
    this.totals = null;
    return new Session(new WhipClient(this.options.endpoint, this.options.key()), outgoing, this.control, tell);
  }

  private changed(): void {
    const up = this.publisher.state === 'up';
    if (!up) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.quality = this.totals = null;
    } else {
      this.timer ??= setInterval(() => void this.read(), readEveryMs);
    }
    this.options.onChange();
  }

  private async read(): Promise<void> {
    const link = this.publisher.current;
    const totals = await link?.totals().catch(() => null);
    if (!totals || this.publisher.current !== link || this.publisher.state !== 'up') return;
    if (this.totals) this.quality = judge(this.totals, totals, frameRate);
    this.totals = totals;
    this.options.onChange();
  }
}
