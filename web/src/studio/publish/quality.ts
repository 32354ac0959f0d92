/** The fields of a browser's statistics that are read here. */
type Report = Readonly<Record<string, unknown>>;

/** Running totals of what has been sent, from one reading of the browser's statistics. */
export interface Totals {
  readonly atMs: number;
  readonly bytes: number;
  readonly frames: number;
  readonly packets: number;
  readonly lost: number;
  readonly rttMs: number | null;
  readonly availableBps: number | null;
  readonly width: number;
  readonly height: number;
  readonly limitedBy: 'none' | 'cpu' | 'bandwidth' | 'other';
  readonly codec: string;
  readonly encoder: string;
}

/** How the sending goes, between two readings. */
export interface Quality {
  readonly level: 0 | 1 | 2 | 3 | 4; // 0: nothing goes out; 4: all is well
  readonly bitrateBps: number;
  readonly fps: number;
  readonly lossPercent: number;
  readonly rttMs: number | null;
  readonly availableBps: number | null;
  readonly width: number;
  readonly height: number;
  readonly limitedBy: Totals['limitedBy'];
  readonly codec: string;
  readonly encoder: string;
}

const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const numberOrNull = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);
const text = (v: unknown): string => (typeof v === 'string' ? v : '');

export function readTotals(reports: readonly Report[], nowMs: number): Totals {
  const of = (type: string): Report[] => reports.filter((r) => r.type === type);
  const sum = (rs: readonly Report[], field: string): number => rs.reduce((n, r) => n + number(r[field]), 0);
  const out = of('outbound-rtp');
  const video = out.find((r) => r.kind === 'video') ?? {};
  const heard = of('remote-inbound-rtp');
  const pair = of('candidate-pair').find((r) => r.nominated === true && r.state === 'succeeded') ?? {};
  const rtts = [pair.currentRoundTripTime, ...heard.map((r) => r.roundTripTime)].map(numberOrNull).filter((v) => v !== null);
  const limit = text(video.qualityLimitationReason);
  return {
    atMs: nowMs,
    bytes: sum(out, 'bytesSent'),
    frames: number(video.framesSent) || number(video.framesEncoded),
    packets: sum(out, 'packetsSent'),
    lost: sum(heard, 'packetsLost'),
    rttMs: rtts[0] === undefined ? null : rtts[0] * 1000,
    availableBps: numberOrNull(pair.availableOutgoingBitrate),
    width: number(video.frameWidth),
    height: number(video.frameHeight),
    limitedBy: limit === 'cpu' || limit === 'bandwidth' ? limit : limit === 'other' ? 'other' : 'none',
    codec: text(of('codec').find((r) => r.id === video.codecId)?.mimeType).replace(/^video\//, ''),
    encoder: text(video.encoderImplementation),
  };
}

/** Judges what happened between two readings. wantFps: what was asked of the camera. */
export function judge(before: Totals, after: Totals, wantFps: number): Quality {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const rate = (a: number, b: number): number => Math.max(0, a - b) / seconds;
  const sent = Math.max(0, after.packets - before.packets);
  const lossPercent = sent === 0 ? 0 : Math.min(100, (Math.max(0, after.lost - before.lost) / sent) * 100);
  const fps = rate(after.frames, before.frames);
  const q = {
    bitrateBps: rate(after.bytes, before.bytes) * 8,
    fps,
    lossPercent,
    rttMs: after.rttMs,
    availableBps: after.availableBps,
    width: after.width,
    height: after.height,
    limitedBy: after.limitedBy,
    codec: after.codec,
    encoder: after.encoder,
  };
  // A camera in a dark room, or a busy phone, gives fewer frames over the best of connections.
  const share = fps > 0 && after.limitedBy !== 'bandwidth' ? 1 : fps / wantFps;
  return { ...q, level: level(share, lossPercent, after.rttMs ?? 0) };
}

/** The worst of three marks: how many of the frames get through, how much is lost, how long a packet travels. */
function level(frameShare: number, lossPercent: number, rttMs: number): Quality['level'] {
  if (frameShare < 0.05) return 0;
  const mark = (bad: boolean, poor: boolean, fair: boolean): Quality['level'] => (bad ? 1 : poor ? 2 : fair ? 3 : 4);
  const marks = [
    mark(frameShare < 0.3, frameShare < 0.6, frameShare < 0.85),
    mark(lossPercent > 10, lossPercent > 5, lossPercent > 1.5),
    mark(rttMs > 1200, rttMs > 600, rttMs > 300),
  ];
  return marks.reduce((a, b) => Math.min(a, b) as Quality['level'], 4);
}
