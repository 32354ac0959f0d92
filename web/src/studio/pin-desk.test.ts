import { beforeEach, expect, it } from 'vitest';
import type { Pin } from '../timeline/pins';
import { ApiError } from './api';
import { ServerClock } from './clock';
import { PinDesk } from './pin-desk';
import { ControlLost, ControlRefused, type Command } from './publish/control';

let pins: Pin[];
let done: unknown[];
let open: boolean;
let command: (c: Command) => Promise<void>;
let refused: Error | null;

const pinOf = (id: string, productId: string): Pin => ({ id, productId, product: null, featured: true, startMs: 0, endMs: null });
const clock = new ServerClock(() => 0);
clock.learn(0, 0, 5_000);

function desk(): PinDesk {
  const api = (...call: unknown[]) => {
    if (refused) return Promise.reject(refused);
    done.push(call);
    return Promise.resolve();
  };
  return new PinDesk({
    control: { get open() { return open; }, command: (c) => command(c) },
    api: { pin: (...a) => api('pin', ...a), unpin: (...a) => api('unpin', ...a) },
    clock,
    pins: () => pins,
    refresh: () => Promise.resolve(),
    onChange: () => undefined,
    now: () => 0,
  });
}

beforeEach(() => {
  pins = [];
  done = [];
  open = true;
  refused = null;
  command = (c) => {
    done.push(c);
    return Promise.resolve();
  };
});

it('pins at the instant of the tap, in place of what is on screen', async () => {
  pins = [pinOf('pin_1', 'prod_1')];
  const d = desk();
  const tap = d.toggle('prod_2', 77.5, true);
  expect([[...d.showing()], [...d.pending()]]).toEqual([['prod_1', 'prod_2'], ['prod_2']]);
  expect(await tap).toBeNull();
  expect(done).toEqual([
    { type: 'pin', product_id: 'prod_2', featured: true, captured_at: 77.5 },
    { type: 'unpin', pin_id: 'pin_1', captured_at: 77.5 },
  ]);
  expect([d.pending().size, d.taps.map((t) => [t.what, t.via, t.capturedAt])]).toEqual([0, [['pin', 'channel', 77.5], ['unpin', 'channel', 77.5]]]);
});

it('leaves the others alone when several may be on screen', async () => {
  pins = [pinOf('pin_1', 'prod_1')];
  await desk().toggle('prod_2', 1, false);
  expect(done).toHaveLength(1);
});

it('takes a product off again, however often it is pinned', async () => {
  pins = [pinOf('pin_1', 'prod_1'), pinOf('pin_2', 'prod_1'), pinOf('pin_3', 'prod_2')];
  const d = desk();
  const tap = d.toggle('prod_1', 9, true);
  expect([...d.showing()]).toEqual(['prod_2']);
  await tap;
  expect(done).toEqual([{ type: 'unpin', pin_id: 'pin_1', captured_at: 9 }, { type: 'unpin', pin_id: 'pin_2', captured_at: 9 }]);
});

it('goes by the API on the server clock where there is no channel', async () => {
  open = false;
  const d = desk();
  await d.toggle('prod_1', 1_000, true);
  pins = [pinOf('pin_1', 'prod_1')];
  await d.toggle('prod_1', 2_000, true);
  expect(done).toEqual([['pin', 'prod_1', true, 6_000], ['unpin', 'pin_1', 7_000]]);
});

it('goes by the API when the channel gives no answer', async () => {
  command = () => Promise.reject(new ControlLost('no answer'));
  const d = desk();
  expect(await d.toggle('prod_1', 1_000, true)).toBeNull();
  expect([done, d.taps[0]?.via]).toEqual([[['pin', 'prod_1', true, 6_000]], 'api']);
});

it('says why it was refused and shows what is true again', async () => {
  command = () => Promise.reject(new ControlRefused('not in the bag'));
  const d = desk();
  expect(await d.toggle('prod_1', 1, true)).toBe('not in the bag');
  expect([d.showing().size, d.taps[0]?.failed, done]).toEqual([0, 'not in the bag', []]);
  open = false;
  refused = new ApiError(0, '');
  expect(await d.toggle('prod_1', 1, true)).toBe('status 0');
});

it('takes an impatient second tap for the same one', async () => {
  const d = desk();
  const [first, second] = [d.toggle('prod_1', 1, true), d.toggle('prod_1', 2, true)];
  await Promise.all([first, second]);
  expect(done).toHaveLength(1);
});
