import { describe, expect, it } from 'vitest';
import { meterShare, Silence } from './meter';
import { captureBarrier, captureTrouble } from './trouble';

describe('captureTrouble', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
    ['TypeError', 'failed'],
  ])('%s is %s', (name, want) => {
    expect(captureTrouble({ name })).toBe(want);
  });
  it('knows nothing else', () => expect(captureTrouble('x')).toBe('failed'));
});

it('tells an insecure page from a browser without cameras', () => {
  expect([captureBarrier(true, {}), captureBarrier(false, undefined), captureBarrier(true, undefined)]).toEqual([null, 'insecure', 'unsupported']);
});

it('measures loudness', () => {
  const tone = (a: number) => Float32Array.from({ length: 1024 }, (_, i) => a * Math.sin(i / 3));
  expect(meterShare(tone(0))).toBe(0);
  expect(meterShare(tone(1))).toBeCloseTo((60 - 3.01) / 60, 2);
  expect(meterShare(tone(0.01))).toBeCloseTo((60 - 43.01) / 60, 2);
  expect(meterShare(new Float32Array(0))).toBe(0);
});

it('says that a microphone is silent only after a while', () => {
  const s = new Silence(8_000);
  expect([s.observe(0, 0), s.observe(0, 7_999), s.observe(0, 8_000)]).toEqual([false, false, true]);
  expect([s.observe(0.3, 8_100), s.observe(0, 9_000), s.observe(0, 16_000)]).toEqual([false, false, false]);
  s.forget();
  expect(s.observe(0, 99_000)).toBe(false);
});
