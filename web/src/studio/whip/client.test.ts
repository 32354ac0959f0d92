import { beforeEach, expect, it, vi } from 'vitest';
import { WhipClient, WhipError } from './client';

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly keepalive: boolean;
}

let asked: Asked[];
let answers: (Response | Error)[];

const client = () =>
  new WhipClient('/whip/room_1', 'key', (url, init) => {
    asked.push({ url: url as string, method: init?.method ?? '', headers: init?.headers as Record<string, string>, body: init?.body, keepalive: init?.keepalive === true });
    const answer = answers.shift() ?? new Error('nothing more');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
const created = (headers: Record<string, string> = {}) => new Response('v=0\r\n', { status: 201, headers: { Location: '/whip/room_1/s1', ETag: '"e1"', ...headers } });

beforeEach(() => {
  asked = [];
  answers = [];
  vi.stubGlobal('document', { baseURI: 'https://shop.example/studio/room_1' });
});

it('posts an offer and keeps what it learns', async () => {
  answers = [created({ Link: '<stun:s.example>; rel="ice-server"' }), new Response(null, { status: 204 })];
  const got = await client().offer('offer');
  expect([got.answer, got.resource.url, got.iceServers]).toEqual(['v=0\r\n', 'https://shop.example/whip/room_1/s1', [{ urls: 'stun:s.example' }]]);
  await got.resource.trickle('frag');
  expect(asked).toMatchObject([
    { url: '/whip/room_1', method: 'POST', headers: { Authorization: 'Bearer key', 'Content-Type': 'application/sdp' }, body: 'offer' },
    { method: 'PATCH', headers: { Authorization: 'Bearer key', 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '"e1"' }, body: 'frag' },
  ]);
});

it('restarts with If-Match: * and goes on with the new tag', async () => {
  answers = [created(), new Response('a=ice-ufrag:n\r\n', { status: 200, headers: { ETag: '"e2"' } }), new Response(null, { status: 204 })];
  const { resource } = await client().offer('offer');
  expect(await resource.restart('frag')).toBe('a=ice-ufrag:n\r\n');
  await resource.trickle('more');
  expect(asked.slice(1).map((a) => a.headers['If-Match'])).toEqual(['*', '"e2"']);
});

it('deletes even while the page goes away', async () => {
  answers = [created(), new Response(null, { status: 200 })];
  await (await client().offer('offer')).resource.delete();
  expect(asked[1]).toMatchObject({ method: 'DELETE', keepalive: true });
});

it.each([
  [new Response('{"title":"Unauthorized","detail":"The key is wrong."}', { status: 401 }), 401, 'The key is wrong.', null],
  [new Response('{"title":"Too Many"}', { status: 429, headers: { 'Retry-After': '7' } }), 429, 'Too Many', 7_000],
  [new Response('<html>', { status: 502 }), 502, '', null],
  [new Response('busy', { status: 503, headers: { 'Retry-After': 'soon' } }), 503, 'busy', null],
  [new TypeError('network'), 0, '', null],
  [new Response('v=0', { status: 200 }), 200, 'the answer is not one of WHIP', null],
])('says how it was refused (%#)', async (answer, status, detail, wait) => {
  answers = [answer];
  const why = await client().offer('offer').catch((e: unknown) => e);
  expect(why).toBeInstanceOf(WhipError);
  expect(why).toMatchObject({ status, detail, retryAfterMs: wait });
});
