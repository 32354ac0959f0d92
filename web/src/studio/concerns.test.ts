import { expect, it } from 'vitest';
import { Concerns, inOrder, type Facts } from './concerns';
import { judge, readTotals, type Quality } from './publish/quality';

const fine: Facts = { sending: true, muted: false, hasMicrophone: true, silent: false, interrupted: false, away: false, quality: null, wantFps: 30 };
const t = (key: string) => key;
const slow = (fps: number, limitedBy: Quality['limitedBy']): Quality => ({ ...judge(readTotals([], 0), readTotals([], 1), 30), fps, limitedBy });
const codes = (c: Concerns, f: Facts, at: number) => c.review(f, at, t).map((w) => w.code);

it('is content when all is well', () => {
  expect(new Concerns().review(fine, 0, t)).toEqual([]);
});

it.each([
  [{ muted: true }, 'phone.muted'],
  [{ hasMicrophone: false, muted: true, silent: true }, 'phone.no_microphone'],
  [{ silent: true }, 'phone.silent'],
  [{ interrupted: true }, 'phone.interrupted'],
  [{ away: true }, 'phone.away'],
] as const)('says at once: %j', (over, want) => {
  expect(codes(new Concerns(), { ...fine, ...over }, 0)).toEqual([want]);
});

it('keeps to itself what does not matter off air', () => {
  expect(codes(new Concerns(), { ...fine, sending: false, muted: true, away: true }, 0)).toEqual([]);
});

it('does not flicker', () => {
  const c = new Concerns();
  const bad = { ...fine, quality: slow(12, 'bandwidth') };
  expect([codes(c, bad, 0), codes(c, fine, 1_000), codes(c, bad, 2_000), codes(c, bad, 4_900)]).toEqual([[], [], [], []]);
  expect(codes(c, bad, 5_000)).toEqual(['phone.bandwidth']);
  expect([codes(c, fine, 9_000), codes(c, fine, 10_200)]).toEqual([['phone.bandwidth'], []]);
});

it('tells a slow uplink from a slow phone, and leaves a slight one alone', () => {
  const c = new Concerns();
  const cpu = { ...fine, quality: slow(10, 'cpu') };
  codes(c, cpu, 0);
  expect(codes(c, cpu, 3_000)).toEqual(['phone.cpu']);
  const d = new Concerns();
  const slight = { ...fine, quality: slow(25, 'bandwidth') };
  codes(d, slight, 0);
  expect(codes(d, slight, 9_000)).toEqual([]);
});

it('puts the gravest first', () => {
  const w = (code: string, severity: 'critical' | 'warning' | 'info') => ({ code, severity, message: '', remedy: '' });
  expect(inOrder([w('a', 'warning')], [w('b', 'info'), w('c', 'critical'), w('d', 'warning')]).map((x) => x.code)).toEqual(['c', 'a', 'd', 'b']);
  expect(inOrder([w('phone.muted', 'warning')], [w('silent', 'warning'), w('rtt_high', 'info')]).map((x) => x.code)).toEqual(['phone.muted', 'rtt_high']);
});
