/** Loudness in decibels below full scale, as a share of a meter from -60 (0) to 0 dB (1). */
export function meterShare(samples: Float32Array): number {
  let sum = 0;
  for (const s of samples) sum += s * s;
  const db = 10 * Math.log10(Math.max(1e-9, sum / Math.max(1, samples.length)));
  return Math.min(1, Math.max(0, (db + 60) / 60));
}

/** Below this a room with a working microphone never is, not even when nobody speaks. */
const silentShare = 0.02;

/** Says when a microphone has been silent for so long that something must be wrong with it. */
export class Silence {
  private since: number | null = null;

  constructor(private readonly afterMs = 8_000) {}

  observe(share: number, nowMs: number): boolean {
    if (share > silentShare) this.since = null;
    else this.since ??= nowMs;
    return this.since !== null && nowMs - this.since >= this.afterMs;
  }

  forget(): void {
    this.since = null;
  }
}

/** Listens to a microphone, and is a source of silence where there is none. Needs a touch of the page to begin. */
export class Meter {
  private context: AudioContext | null = null;
  private analyser: AnalyserNode | null = null;
  private source: MediaStreamAudioSourceNode | null = null;
  private of: MediaStreamTrack | null = null;
  private samples = new Float32Array(1024);
  private quiet: MediaStreamTrack | null = null;

  /** Follows a track; null: nothing to hear. */
  follow(track: MediaStreamTrack | null): void {
    if (track === this.of) return this.wake();
    this.source?.disconnect();
    this.source = null;
    this.of = track;
    if (!track) return;
    this.context ??= new AudioContext({ latencyHint: 'interactive' });
    this.analyser ??= new AnalyserNode(this.context, { fftSize: 1024, smoothingTimeConstant: 0 });
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.analyser);
    this.wake();
  }

  /** 0 to 1; null while the browser does not let the page listen yet. */
  level(): number | null {
    if (!this.analyser || !this.source || this.context?.state !== 'running') return null;
    this.analyser.getFloatTimeDomainData(this.samples);
    return meterShare(this.samples);
  }

  /** A track that says nothing. */
  silence(): MediaStreamTrack {
    this.context ??= new AudioContext();
    const [track] = this.context.createMediaStreamDestination().stream.getAudioTracks();
    if (!track) throw new Error('the browser makes no track of silence');
    return (this.quiet ??= track);
  }

  /** Browsers listen only after a touch: to be called with each. */
  wake(): void {
    if (this.context?.state === 'suspended') this.context.resume().catch(() => undefined);
  }
}
