import { describe, expect, it } from 'vitest';
import { isOf, nextOf, type Entry } from './history';

const log = (...kinds: string[]): Entry[] => kinds.map((kind, i) => ({ kind, by: 'Mei', revision: i + 1 }));
const names = (...kinds: string[]): (number | null)[] => {
  const { undo, redo } = nextOf(log(...kinds));
  return [undo?.revision ?? null, redo?.revision ?? null];
};

describe('what undo and redo would do', () => {
  it.each([
    [[], [null, null]],
    [['cut'], [1, null]],
    [['cut', 'undo'], [null, 1]],
    [['cut', 'publish', 'undo', 'undo'], [null, 1]],
    [['cut', 'publish', 'undo', 'undo', 'redo'], [1, 2]],
    [['cut', 'undo', 'publish'], [3, null]],
    [['cut', 'publish', 'undo', 'redo', 'undo'], [1, 2]],
    [['undo', 'cut'], [2, null]], // a log whose beginning is missing
  ] as const)('%j: %j', (kinds, want) => {
    expect(names(...kinds)).toEqual(want);
  });
});

it('knows an edit again in the log', () => {
  const cut = { kind: 'cut', from_ms: 1, to_ms: 2 };
  expect(isOf({ ...cut, by: '', revision: 3 }, cut)).toBe(true);
  expect(isOf({ ...cut, to_ms: 3, by: '', revision: 3 }, cut)).toBe(false);
  const expiry = { kind: 'expire', expires_at: '2030-01-01T00:00:00.000Z' };
  expect(isOf({ kind: 'expire', expires_at: '2030-01-01T00:00:00Z', by: '', revision: 1 }, expiry)).toBe(true);
  expect(isOf({ kind: 'expire', by: '', revision: 1 }, expiry)).toBe(false);
  expect(isOf({ kind: 'undo', by: '', revision: 1 }, { kind: 'undo' })).toBe(true);
});
