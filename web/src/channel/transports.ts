import { isFields } from '../product/product';
import type { Position } from './frames';

/** Where a transport puts what it hears. Nothing may come after lost() or after the transport was closed. */
export interface Sink {
  frame(frame: unknown): void;
  /** The connection is up although no frame has come yet. */
  opened(): void;
  /** The transport's own account of the position, where it has one. */
  moved(position: Position): void;
  /** The connection is gone or never came up. resync: the server asks for a fresh connection at once. */
  lost(resync: boolean): void;
}

/** One way to follow a room. open returns the function that closes it. */
export type Transport = (url: string, position: () => Position | null, sink: Sink) => () => void;

const resyncCode = 4408;

/** A URL with the position to resume from. */
function resumeAt(url: string, position: Position | null): URL {
  const at = new URL(url);
  if (position) {
    at.searchParams.set('epoch', position.epoch);
    at.searchParams.set('offset', String(position.offset));
  }
  return at;
}

function deliver(sink: Sink, data: unknown): void {
  if (typeof data !== 'string') return;
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return; // not ours; the next one may be
  }
  sink.frame(frame);
}

export const webSocket: Transport = (url, position, sink) => {
  const at = resumeAt(url, position());
  at.protocol = at.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(at.href);
  socket.onmessage = (m) => deliver(sink, m.data);
  socket.onclose = (e) => sink.lost(e.code === resyncCode);
  return () => {
    socket.onmessage = socket.onclose = null;
    socket.close();
  };
};

export const eventStream: Transport = (url, position, sink) => {
  const source = new EventSource(resumeAt(url, position()).href);
  const close = (): void => {
    source.onmessage = source.onerror = null;
    source.close();
  };
  source.onmessage = (m) => deliver(sink, m.data);
  source.onerror = () => {
    close(); // one back-off for all transports, not the browser's own
    sink.lost(false);
  };
  return close;
};

export const longPoll: Transport = (url, position, sink) => {
  const abort = new AbortController();
  const closed = (): boolean => abort.signal.aborted;
  const ask = async (): Promise<void> => {
    while (!closed()) {
      const at = new URL(url);
      const since = position();
      at.searchParams.set('since', since ? `${since.epoch}:${since.offset}` : '');
      const res = await fetch(at.href, { signal: abort.signal, headers: { Accept: 'application/json' } });
      if (!res.ok) throw new Error(`status ${res.status}`);
      const body: unknown = await res.json();
      if (closed()) return;
      sink.opened();
      readPoll(body, sink);
    }
  };
  ask().catch(() => {
    if (!closed()) sink.lost(false);
  });
  return () => abort.abort();
};

function readPoll(body: unknown, sink: Sink): void {
  if (!isFields(body)) throw new Error('not an answer of the channel');
  if (Array.isArray(body.frames)) body.frames.forEach((f) => sink.frame(f));
  const p = body.position;
  if (isFields(p) && typeof p.epoch === 'string' && typeof p.offset === 'number') {
    sink.moved({ epoch: p.epoch, offset: p.offset });
  }
}

/** The transports this browser has, best first. */
export function transports(): Transport[] {
  const have: Transport[] = [];
  if (typeof WebSocket === 'function') have.push(webSocket);
  if (typeof EventSource === 'function') have.push(eventStream);
  have.push(longPoll);
  return have;
}
