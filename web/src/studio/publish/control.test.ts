import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Control, ControlLost, ControlRefused, happenedAt } from './control';

class FakePipe {
  readyState = 'open';
  readonly sent: Record<string, unknown>[] = [];
  send(data: string) {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
}

const pin = { type: 'pin', product_id: 'prod_1', featured: true, captured_at: 1.25 } as const;
let pipe: FakePipe;
let control: Control;

beforeEach(() => {
  vi.useFakeTimers();
  pipe = new FakePipe();
  control = new Control(() => 42.5);
  control.attach(pipe);
});
afterEach(() => vi.useRealTimers());

it('tells the page clock when it is asked', () => {
  control.take('{"type":"ping","id":7}');
  expect(pipe.sent).toEqual([{ type: 'pong', id: 7, now: 42.5 }]);
});

it('matches answers to commands, whatever their order', async () => {
  const [first, second] = [control.command(pin), control.command({ type: 'unpin', pin_id: 'pin_1', captured_at: 2 })];
  expect(pipe.sent).toEqual([{ ...pin, id: 'c1' }, { type: 'unpin', pin_id: 'pin_1', captured_at: 2, id: 'c2' }]);
  control.take('{"type":"error","id":"c2","message":"no such pin"}');
  control.take('{"type":"ack","id":"c1"}');
  await first;
  await expect(second).rejects.toEqual(new ControlRefused('no such pin'));
});

it('does not wait for ever, nor on a channel that has gone', async () => {
  const slow = control.command(pin);
  slow.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(4_000);
  await expect(slow).rejects.toBeInstanceOf(ControlLost);
  const cut = control.command(pin);
  control.detach();
  await expect(cut).rejects.toBeInstanceOf(ControlLost);
  await expect(control.command(pin)).rejects.toBeInstanceOf(ControlLost);
  pipe.readyState = 'connecting';
  control.attach(pipe);
  await expect(control.command(pin)).rejects.toBeInstanceOf(ControlLost);
});

it('is deaf to what it does not know', () => {
  ['nonsense', '[]', '{"type":"new"}', '{"type":"ack","id":"c9"}', '{"type":"clock","offset_ms":1,"rtt_ms":2}'].forEach((m) => control.take(m));
  control.take(new ArrayBuffer(2));
  expect(pipe.sent).toEqual([]);
});

it('takes the time of the touch, if it can be true', () => {
  vi.advanceTimersByTime(10_000);
  const stamp = performance.now() - 30;
  expect(happenedAt({ timeStamp: stamp } as Event)).toBeCloseTo(performance.timeOrigin + stamp, 3);
  const now = performance.timeOrigin + performance.now();
  for (const wrong of [0, performance.now() + 1_000, -5]) expect(Math.abs(happenedAt({ timeStamp: wrong } as Event) - now)).toBeLessThan(50);
});
