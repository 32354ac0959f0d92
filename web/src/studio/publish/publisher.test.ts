import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WhipError } from '../whip/client';
import { Publisher, type Link, type LinkEvent } from './publisher';
import { readTotals } from './quality';

class FakeLink implements Link {
  static all: FakeLink[] = [];
  static onStart: (() => Promise<void>)[] = [];
  static onRestart: () => Promise<void> = () => Promise.resolve();
  restarts = 0;
  closed: boolean | null = null; // how: true to end the show
  constructor(readonly say: (e: LinkEvent) => void) {
    FakeLink.all.push(this);
  }
  start() {
    return (FakeLink.onStart.shift() ?? (() => Promise.resolve()))();
  }
  restart() {
    this.restarts++;
    return FakeLink.onRestart();
  }
  close(end: boolean) {
    this.closed = end;
    return Promise.resolve();
  }
  replace() {
    return Promise.resolve();
  }
  totals() {
    return Promise.resolve(readTotals([], 0));
  }
}

let displaced: boolean;
let states: string[];
const last = () => FakeLink.all[FakeLink.all.length - 1]!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function publisher(): Publisher {
  const p: Publisher = new Publisher({
    makeLink: (tell) => new FakeLink(tell),
    displaced: () => Promise.resolve(displaced),
    onChange: () => states.push(p.state),
    random: () => 0,
  });
  return p;
}

async function onAir(): Promise<Publisher> {
  const p = publisher();
  p.start();
  await pass(0);
  last().say('up');
  return p;
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeLink.all = [];
  FakeLink.onStart = [];
  FakeLink.onRestart = () => Promise.resolve();
  displaced = false;
  states = [];
});
afterEach(() => vi.useRealTimers());

it('goes on air and ends the show when it is stopped', async () => {
  const p = await onAir();
  await p.stop();
  expect([states, last().closed]).toEqual([['connecting', 'up', 'off'], true]);
  await pass(60_000);
  expect(FakeLink.all).toHaveLength(1);
});

it('lets a short silence pass', async () => {
  const p = await onAir();
  last().say('shaky');
  await pass(1_000);
  last().say('up');
  await pass(60_000);
  expect([p.state, last().restarts, FakeLink.all.length]).toEqual(['up', 0, 1]);
});

it('looks for a new path in the same session first', async () => {
  const p = await onAir();
  last().say('shaky');
  await pass(1_500);
  expect([p.state, last().restarts]).toEqual(['recovering', 1]);
  last().say('up');
  expect(p.state).toBe('up');
  await pass(60_000);
  expect(FakeLink.all).toHaveLength(1);
});

it('begins a new session without ending the show when no new path is found', async () => {
  const p = await onAir();
  const old = last();
  old.say('down');
  await pass(6_001);
  expect([FakeLink.all.length, old.closed, p.state]).toEqual([2, false, 'recovering']);
  old.say('up'); // too late: it is not the one any more
  expect(p.state).toBe('recovering');
  last().say('up');
  expect(p.state).toBe('up');
});

it('begins a new session at once when the server knows the old one no more', async () => {
  await onAir();
  FakeLink.onRestart = () => Promise.reject(new WhipError(404, '', null));
  last().say('down');
  await pass(0);
  expect(FakeLink.all).toHaveLength(2);
});

it('keeps trying, with growing pauses, for as long as it is on', async () => {
  const p = await onAir();
  const refuse = () => Promise.reject(new WhipError(0, '', null));
  FakeLink.onStart = Array.from({ length: 6 }, () => refuse);
  last().say('gone');
  const tries: number[] = [];
  for (let t = 0; t < 30_000; t += 100) {
    const before = FakeLink.all.length;
    await pass(100);
    if (FakeLink.all.length > before) tries.push(t);
  }
  expect(FakeLink.all).toHaveLength(8);
  const gaps = tries.slice(1).map((t, i) => t - tries[i]!);
  expect(gaps.slice(0, 5)).toEqual([...gaps.slice(0, 5)].sort((a, b) => a - b));
  last().say('up');
  expect([p.state, p.trouble]).toEqual(['up', null]);
});

it('tries at once when the network is back', async () => {
  const p = await onAir();
  FakeLink.onStart = Array.from({ length: 9 }, () => () => Promise.reject(new WhipError(0, '', null)));
  last().say('gone');
  await pass(5_000);
  const before = FakeLink.all.length;
  p.wake();
  await pass(0);
  expect(FakeLink.all.length).toBe(before + 1);
});

it('waits for as long as the server asks', async () => {
  FakeLink.onStart = [() => Promise.reject(new WhipError(429, 'full', 7_000))];
  const p = publisher();
  p.start();
  await pass(6_900);
  expect([FakeLink.all.length, p.trouble?.detail, p.state]).toEqual([1, 'full', 'connecting']);
  await pass(200);
  expect(FakeLink.all).toHaveLength(2);
});

it.each([400, 401, 403, 404, 409, 422])('gives up when it is refused with %d, and starts again when asked to', async (status) => {
  FakeLink.onStart = [() => Promise.reject(new WhipError(status, 'no', null))];
  const p = publisher();
  p.start();
  await pass(60_000);
  expect([p.state, p.trouble?.status, FakeLink.all.length, last().closed]).toEqual(['refused', status, 1, false]);
  p.start();
  await pass(0);
  expect(FakeLink.all).toHaveLength(2);
});

it('leaves the room to another device that took it, until the anchor takes it back', async () => {
  const p = await onAir();
  displaced = true;
  last().say('gone');
  await pass(60_000);
  expect([p.state, FakeLink.all.length]).toEqual(['displaced', 1]);
  p.start();
  await pass(0);
  last().say('up');
  expect([p.state, FakeLink.all.length]).toEqual(['up', 2]);
});

it('leaves a show to others when it is only called off', async () => {
  const p = await onAir();
  await p.stop(false);
  expect([p.state, last().closed]).toEqual(['off', false]);
});

it('gives up a session that was accepted and never came up', async () => {
  const p = publisher();
  p.start();
  await pass(15_000);
  expect(last().closed).toBe(false);
  await pass(1_000);
  expect([p.state, FakeLink.all.length]).toEqual(['connecting', 2]);
});
