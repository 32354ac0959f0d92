import { describe, expect, it } from 'vitest';
import { ApiError } from './api';
import { Desk, type EditServer } from './desk';
import type { EditOp, Entry } from './model/history';
import type { Replay } from './wire';

/** A server of one replay, whose next answers can be lost or refused. */
class Server implements EditServer {
  log: Entry[] = [];
  /** What becomes of the next edits: lost on the way, done but unheard, or refused. */
  next: ('lost' | 'unheard' | ApiError)[] = [];

  replay(): Promise<Replay> {
    return Promise.resolve({ revision: this.log.length, published: true, expiresMs: null, visible: true, hidden: '', coverMs: null, cuts: [], durationMs: 1, playMs: 1, canUndo: false, canRedo: false, wholeUrl: '', posterUrl: '' });
  }
  chapters(): Promise<never[]> {
    return Promise.resolve([]);
  }
  edits(): Promise<Entry[]> {
    return Promise.resolve([...this.log]);
  }
  edit(op: EditOp, revision: number): Promise<Replay> {
    const fate = this.next.shift();
    if (fate instanceof ApiError) return Promise.reject(fate);
    if (fate === 'lost') return Promise.reject(new ApiError(0));
    if (revision !== this.log.length) return Promise.reject(new ApiError(409, 'edited', [], this.log.length));
    this.by('Mei', op);
    return fate === 'unheard' ? Promise.reject(new ApiError(0)) : this.replay();
  }
  move(way: 'undo' | 'redo', revision: number): Promise<Replay> {
    return this.edit({ kind: way }, revision);
  }
  by(by: string, op: EditOp): void {
    this.log.push({ ...op, by, revision: this.log.length + 1 });
  }
}

async function desk(server: Server, signIn = (): Promise<boolean> => Promise.resolve(true)): Promise<Desk> {
  const d = new Desk(server, () => undefined, signIn, () => Promise.resolve());
  await d.load();
  return d;
}

const cut = { kind: 'cut', from_ms: 0, to_ms: 5 };
const publish = { kind: 'publish' };

describe('edits', () => {
  it('are made one after the other, each on what the one before left', async () => {
    const server = new Server();
    const d = await desk(server);
    expect(await Promise.all([d.edit(cut), d.edit(publish), d.edit('undo')])).toEqual([{ done: true }, { done: true }, { done: true }]);
    expect(server.log.map((e) => e.kind)).toEqual(['cut', 'publish', 'undo']);
    expect(d.next).toMatchObject({ undo: { kind: 'cut' }, redo: { kind: 'publish' } });
    expect(d.isBusy()).toBe(false);
  });

  it('are tried again when they are lost, and not made twice when the answer was', async () => {
    const server = new Server();
    server.next = ['lost', 'lost', 'unheard'];
    const d = await desk(server);
    expect(await d.edit(cut)).toEqual({ done: true });
    expect(server.log).toHaveLength(1);
    expect(d.replay?.revision).toBe(1);
  });

  it('that come late load what is there now and say who was first', async () => {
    const server = new Server();
    const d = await desk(server);
    server.by('Lan', publish);
    expect(await d.edit(cut)).toMatchObject({ done: false, overtaken: true, by: 'Lan' });
    expect(d.replay?.revision).toBe(1);
    expect(await d.edit(cut)).toEqual({ done: true });
  });

  it('of a lost answer are late when somebody else was first', async () => {
    const server = new Server();
    const d = await desk(server);
    server.next = ['lost'];
    server.by('Lan', publish);
    expect(await d.edit(cut)).toMatchObject({ overtaken: true });
  });

  it('wait for the person to sign in again', async () => {
    const server = new Server();
    server.next = [new ApiError(401)];
    let asked = 0;
    const d = await desk(server, () => Promise.resolve(++asked === 1));
    expect(await d.edit(cut)).toEqual({ done: true });
    server.next = [new ApiError(401)];
    expect(await d.edit(publish)).toMatchObject({ done: false, overtaken: false });
    expect(asked).toBe(2);
  });

  it('that are refused stop nothing that comes after', async () => {
    const server = new Server();
    server.next = [new ApiError(422, 'no', [{ field: 'to_ms', message: 'no' }])];
    const d = await desk(server);
    expect(await Promise.all([d.edit(cut), d.edit(publish)])).toMatchObject([{ done: false, error: { status: 422 } }, { done: true }]);
  });
});
