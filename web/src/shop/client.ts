import { isFields } from '../product/product';

/** An answer that is no success. Its text is fit for whoever shops. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly field: string, // of the request, "" when no single one is meant
    readonly body: unknown,
  ) {
    super(message);
  }
}

/** The server did not answer, or not in time. */
export class Unreachable extends Error {}

const timeoutMs = 15_000;

/**
 * Speaks to the shop as one viewer. Who that is stands in a cookie that pages cannot read; the first call that needs one
 * becomes a visitor.
 */
export class ShopClient {
  private visitor: Promise<void> | null = null;

  constructor(private readonly ask: typeof fetch = (...args) => fetch(...args)) {}

  /** Reads what anybody may read. */
  async read(path: string): Promise<unknown> {
    return this.send('GET', path);
  }

  /** Does something as the viewer. A key makes the call one, however often it is repeated. */
  async act(method: 'GET' | 'POST' | 'DELETE' | 'PATCH', path: string, body?: unknown, key?: string): Promise<unknown> {
    await this.known();
    try {
      return await this.send(method, path, body, key);
    } catch (why) {
      if (!(why instanceof Refused) || why.status !== 401) throw why;
      this.visitor = null; // the cookie is too old, or was cleared
      await this.known();
      return this.send(method, path, body, key);
    }
  }

  /** Makes sure that there is a viewer. */
  async known(): Promise<void> {
    this.visitor ??= this.send('POST', '/api/v1/visitors', {}).then(() => undefined);
    try {
      await this.visitor;
    } catch (why) {
      this.visitor = null;
      throw why;
    }
  }

  private async send(method: string, path: string, body?: unknown, key?: string): Promise<unknown> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key !== undefined) headers['Idempotency-Key'] = key;
    let res: Response;
    let doc: unknown = null;
    try {
      res = await this.ask(path, { method, headers, signal: abort.signal, credentials: 'same-origin', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      if (res.status !== 204) doc = await res.json().catch(() => null);
    } catch {
      throw new Unreachable(path);
    } finally {
      clearTimeout(timer);
    }
    if (res.ok) return doc;
    throw refused(res.status, doc);
  }
}

function refused(status: number, doc: unknown): Refused {
  if (!isFields(doc)) return new Refused(status, '', '', doc);
  const first: unknown = Array.isArray(doc.errors) ? doc.errors[0] : null;
  const location = isFields(first) && typeof first.location === 'string' ? first.location : '';
  return new Refused(status, typeof doc.detail === 'string' ? doc.detail : '', location.replace(/^body\./, ''), doc);
}

/** A key for one thing that the viewer wants done, for all the times it is asked for. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join(''); // randomUUID is for https alone
}
