/** The lowest and highest of a stretch of sound, -128 to 127. */
export interface Peak {
  readonly low: number;
  readonly high: number;
}

const header = 24;
const shrink = 8;

interface Level {
  readonly stepMs: number;
  readonly low: Int8Array;
  readonly high: Int8Array;
}

/**
 * A waveform with coarser ones above it, so that drawing four hours costs no more than drawing a minute: each level has an
 * eighth of the points of the one below.
 */
export class Wave {
  private readonly base: Level;
  private readonly levels: Level[];

  constructor(low: Int8Array, high: Int8Array, stepMs: number) {
    let level: Level = { stepMs, low, high };
    this.base = level;
    this.levels = [level];
    while (level.low.length > 512) this.levels.push((level = coarser(level)));
  }

  get durationMs(): number {
    return this.base.low.length * this.base.stepMs;
  }

  /** The peak between two instants, null where there is no sound known. */
  between(fromMs: number, toMs: number): Peak | null {
    const level = this.levelFor(toMs - fromMs);
    const first = Math.max(0, Math.floor(fromMs / level.stepMs));
    const last = Math.min(level.low.length, Math.max(first + 1, Math.ceil(toMs / level.stepMs)));
    if (first >= last) return null;
    let [low, high] = [127, -128];
    for (let i = first; i < last; i++) {
      low = Math.min(low, level.low[i] ?? 0);
      high = Math.max(high, level.high[i] ?? 0);
    }
    return { low, high };
  }

  private levelFor(spanMs: number): Level {
    let best = this.base;
    for (const l of this.levels) if (l.stepMs <= spanMs) best = l;
    return best;
  }
}

function coarser(of: Level): Level {
  const n = Math.ceil(of.low.length / shrink);
  const [low, high] = [new Int8Array(n).fill(127), new Int8Array(n).fill(-128)];
  for (let i = 0; i < of.low.length; i++) {
    const at = Math.floor(i / shrink);
    low[at] = Math.min(low[at] ?? 0, of.low[i] ?? 0);
    high[at] = Math.max(high[at] ?? 0, of.high[i] ?? 0);
  }
  return { stepMs: of.stepMs * shrink, low, high };
}

/** Reads a waveform in the binary form of audiowaveform (version 2, 8 bits, one channel); null for anything else. */
export function readWave(bytes: ArrayBuffer): Wave | null {
  if (bytes.byteLength < header) return null;
  const head = new DataView(bytes);
  const [version, flags, rate, perPoint, n, channels] = [0, 4, 8, 12, 16, 20].map((at) => head.getUint32(at, true)) as [number, number, number, number, number, number];
  if (version !== 2 || flags !== 1 || channels !== 1 || rate === 0 || perPoint === 0 || bytes.byteLength < header + 2 * n) return null;
  const points = new Int8Array(bytes, header, 2 * n);
  const low = new Int8Array(n);
  const high = new Int8Array(n);
  for (let i = 0; i < n; i++) [low[i], high[i]] = [points[2 * i] ?? 0, points[2 * i + 1] ?? 0];
  return new Wave(low, high, (perPoint / rate) * 1000);
}

export const signalNames = ['score', 'likes', 'comments', 'orders', 'viewers', 'loudness'] as const;
export type SignalName = (typeof signalNames)[number];

/** The curves of a show, an entry for each step. */
export interface Signals {
  readonly stepMs: number;
  readonly of: Readonly<Record<SignalName, readonly (number | null)[]>>;
}

const silence = -70; // LUFS
const loud = -8;

/** A curve between 0 and 1: counts against their highest, loudness between silence and loud. */
export function share(name: SignalName, values: readonly (number | null)[]): (number | null)[] {
  if (name === 'loudness') return values.map((v) => (v === null ? null : Math.min(1, Math.max(0, (v - silence) / (loud - silence)))));
  const most = values.reduce<number>((m, v) => Math.max(m, v ?? 0), 0);
  return values.map((v) => (v === null ? null : most <= 0 ? 0 : Math.max(0, v) / most));
}

/** The highest of a curve between two instants; between two of its steps the one that holds. */
export function highest(values: readonly (number | null)[], stepMs: number, fromMs: number, toMs: number): number | null {
  const first = Math.max(0, Math.floor(fromMs / stepMs));
  const last = Math.min(values.length, Math.max(first + 1, Math.ceil(toMs / stepMs)));
  let best: number | null = null;
  for (let i = first; i < last; i++) {
    const v = values[i] ?? null;
    if (v !== null && (best === null || v > best)) best = v;
  }
  return best;
}

/** Whether a curve says anything. */
export function speaks(name: SignalName, values: readonly (number | null)[]): boolean {
  return values.some((v) => v !== null && (name === 'loudness' ? v > silence : v > 0));
}
