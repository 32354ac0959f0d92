import { expect, it } from 'vitest';
import { iceServers } from './link-header';

it.each([
  [null, []],
  ['', []],
  ['<stun:stun.example.net>; rel="ice-server"', [{ urls: 'stun:stun.example.net' }]],
  ['<stun:a.example>; rel=ice-server, <turns:b.example:443?transport=tcp>; rel="ice-server"; username="u,;ser"; credential="p\\"w"; credential-type="password"',
    [{ urls: 'stun:a.example' }, { urls: 'turns:b.example:443?transport=tcp', username: 'u,;ser', credential: 'p"w' }]],
  ['<https://shop.example/next>; rel="next", <turn:c.example>; Rel="Ice-Server"; Username="u"', [{ urls: 'turn:c.example' }]],
  ['<https://shop.example/>; rel="ice-server"', []],
  ['nonsense, <stun:a.example', []],
])('%s', (header, want) => {
  expect(iceServers(header)).toEqual(want);
});
