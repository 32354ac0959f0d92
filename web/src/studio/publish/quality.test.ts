import { describe, expect, it } from 'vitest';
import { judge, readTotals, type Totals } from './quality';

const reports = [
  { type: 'codec', id: 'c1', mimeType: 'video/H264' },
  { type: 'outbound-rtp', kind: 'video', codecId: 'c1', bytesSent: 1_000_000, packetsSent: 900, framesSent: 300, frameWidth: 720, frameHeight: 1280, qualityLimitationReason: 'bandwidth', encoderImplementation: 'OpenH264' },
  { type: 'outbound-rtp', kind: 'audio', bytesSent: 50_000, packetsSent: 500 },
  { type: 'remote-inbound-rtp', kind: 'video', packetsLost: 9, roundTripTime: 0.08 },
  { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 1, roundTripTime: 0.09 },
  { type: 'candidate-pair', state: 'in-progress', nominated: false, currentRoundTripTime: 9 },
  { type: 'candidate-pair', state: 'succeeded', nominated: true, currentRoundTripTime: 0.05, availableOutgoingBitrate: 3_000_000 },
];

it('adds up both tracks and takes the round trip of the chosen path', () => {
  expect(readTotals(reports, 7)).toEqual({
    atMs: 7, bytes: 1_050_000, packets: 1_400, lost: 10, frames: 300, rttMs: 50, availableBps: 3_000_000,
    width: 720, height: 1280, limitedBy: 'bandwidth', codec: 'H264', encoder: 'OpenH264',
  });
});

it('reads nothing out of nothing', () => {
  expect(readTotals([], 0)).toMatchObject({ bytes: 0, rttMs: null, availableBps: null, limitedBy: 'none', codec: '' });
});

describe('judge', () => {
  const at = (over: Partial<Totals>): Totals => ({ ...readTotals([], 0), ...over });
  it.each([
    ['all is well', { frames: 30, packets: 300, bytes: 312_500 }, 4],
    ['a slow camera', { frames: 12, packets: 300 }, 4],
    ['a third of the frames is missing', { frames: 20, packets: 300, limitedBy: 'bandwidth' }, 3],
    ['half of the frames is missing', { frames: 15, packets: 300, limitedBy: 'bandwidth' }, 2],
    ['hardly a frame', { frames: 5, packets: 300, limitedBy: 'bandwidth' }, 1],
    ['nothing goes out', { frames: 0, packets: 50 }, 0],
    ['some loss', { frames: 30, packets: 300, lost: 9 }, 3],
    ['much loss', { frames: 30, packets: 300, lost: 45 }, 1],
    ['a long way', { frames: 30, packets: 300, rttMs: 700 }, 2],
  ] as const)('%s', (_, after, want) => {
    expect(judge(at({}), at({ atMs: 1_000, ...after }), 30).level).toBe(want);
  });

  it('measures over the time that has passed', () => {
    const q = judge(at({ atMs: 1_000, bytes: 1_000 }), at({ atMs: 3_000, bytes: 251_000, frames: 60, packets: 200, lost: 4 }), 30);
    expect([q.bitrateBps, q.fps, q.lossPercent]).toEqual([1_000_000, 30, 2]);
  });

  it('takes counters that began anew for nothing sent', () => {
    expect(judge(at({ bytes: 900, packets: 9, lost: 5 }), at({ atMs: 1_000 }), 30)).toMatchObject({ bitrateBps: 0, lossPercent: 0, level: 0 });
  });
});
