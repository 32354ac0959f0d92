import { describe, expect, it } from 'vitest';
import { Epochs } from './epochs';

const start = Date.UTC(2026, 10, 22, 12);

describe('showAt', () => {
  const epochs = new Epochs();
  epochs.tell([
    { showMs: 0, wallMs: start },
    { showMs: 10_000, wallMs: start + 15_000 },
  ]);

  it.each([
    ['the first frame', 0, 0],
    ['inside the first epoch', 4_000, 4_000],
    ['the last frame before the gap', 9_960, 9_960],
    ['the gap is one instant', 12_500, 10_000],
    ['the first frame after the gap', 15_000, 10_000],
    ['inside the second epoch', 20_000, 15_000],
    ['before the show', -500, -500],
  ])('%s', (_, wall, show) => {
    expect(epochs.showAt(start + wall)).toBe(show);
  });

  it('is unknown without an epoch', () => {
    expect(new Epochs().showAt(start)).toBeNull();
  });
});

describe('learn', () => {
  const playlist = [
    { cc: 0, wallMs: start + 6_000, durationMs: 2_000 },
    { cc: 0, wallMs: start + 8_000, durationMs: 1_500 },
    { cc: 1, wallMs: start + 40_000, durationMs: 2_000 },
    { cc: 1, wallMs: start + 42_000, durationMs: 2_000 },
  ];

  it('finds an epoch that the channel has not told yet', () => {
    const epochs = new Epochs();
    epochs.tell([{ showMs: 0, wallMs: start }]);
    epochs.learn(playlist);
    expect(epochs.showAt(start + 41_000)).toBe(10_500);
  });

  it('keeps what it learned when the playlist has moved on', () => {
    const epochs = new Epochs();
    epochs.tell([{ showMs: 0, wallMs: start }]);
    epochs.learn(playlist);
    epochs.learn(playlist.slice(2));
    expect(epochs.list()).toHaveLength(2);
    expect(epochs.showAt(start + 43_000)).toBe(12_500);
  });

  it('gives way to the server, which knows better', () => {
    const epochs = new Epochs();
    epochs.tell([{ showMs: 0, wallMs: start }]);
    epochs.learn(playlist);
    epochs.tell([
      { showMs: 0, wallMs: start },
      { showMs: 9_501, wallMs: start + 40_000 },
    ]);
    expect(epochs.list()).toHaveLength(2);
    expect(epochs.showAt(start + 41_000)).toBe(10_501);
  });

  it('adds nothing at a discontinuity without a jump of the date', () => {
    const epochs = new Epochs();
    epochs.tell([{ showMs: 0, wallMs: start }]);
    epochs.learn([
      { cc: 0, wallMs: start, durationMs: 2_000 },
      { cc: 1, wallMs: start + 2_000, durationMs: 2_000 },
    ]);
    expect(epochs.list()).toHaveLength(1);
  });

  it('waits while nothing is known', () => {
    const epochs = new Epochs();
    epochs.learn(playlist);
    expect(epochs.known).toBe(false);
  });
});

describe('anchor', () => {
  it('maps dates around a pin when no channel told an epoch', () => {
    const epochs = new Epochs();
    epochs.anchor({ showMs: 61_200, wallMs: start + 61_200 });
    expect(epochs.showAt(start + 63_000)).toBe(63_000);
  });

  it('is dropped when it says what is known', () => {
    const epochs = new Epochs();
    epochs.tell([{ showMs: 0, wallMs: start }]);
    epochs.anchor({ showMs: 5_000, wallMs: start + 5_001 });
    expect(epochs.list()).toHaveLength(1);
  });
});
