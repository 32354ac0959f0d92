import { expect, it } from 'vitest';
import { fragment, iceCredentials, restarted } from './sdp';

const sdp = (...l: string[]) => [...l, ''].join('\r\n');
const offer = sdp('v=0', 's=-', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:aa', 'a=ice-pwd:secret', 'a=mid:0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ice-ufrag:aa', 'a=ice-pwd:secret', 'a=mid:1');
const answer = sdp('v=0', 'a=ice-lite', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', 'a=ice-ufrag:old', 'a=ice-pwd:oldpw', 'a=candidate:1 1 udp 5 192.0.2.1 1 typ host', 'a=end-of-candidates', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', 'a=ice-ufrag:old', 'a=ice-pwd:oldpw');

it('reads credentials wherever they stand', () => {
  expect(iceCredentials(offer)).toEqual({ ufrag: 'aa', pwd: 'secret' });
  expect(iceCredentials('a=ice-ufrag:x\na=ice-pwd:y\n')).toEqual({ ufrag: 'x', pwd: 'y' });
  expect(iceCredentials('v=0\r\n')).toBeNull();
});

it('makes fragments of the first media section', () => {
  expect(fragment(offer, ['candidate:1 1 udp 1 192.0.2.9 9 typ host'], false)).toBe(
    sdp('a=ice-ufrag:aa', 'a=ice-pwd:secret', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', 'a=candidate:1 1 udp 1 192.0.2.9 9 typ host'),
  );
  expect(fragment(offer, [], true)).toContain('a=mid:0\r\na=end-of-candidates\r\n');
});

it('puts a restart into the answer, once and in its first section', () => {
  const after = restarted(answer, sdp('a=ice-ufrag:new', 'a=ice-pwd:newpw', 'm=audio 9 RTP/AVP 0', 'a=mid:0', 'a=candidate:2 1 udp 5 192.0.2.2 2 typ host', 'a=end-of-candidates'));
  expect(after).toBe(
    sdp('v=0', 'a=ice-lite', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', 'a=ice-ufrag:new', 'a=ice-pwd:newpw', 'a=candidate:2 1 udp 5 192.0.2.2 2 typ host', 'a=end-of-candidates', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', 'a=ice-ufrag:new', 'a=ice-pwd:newpw'),
  );
  expect(() => restarted(answer, 'a=mid:0\r\n')).toThrow('no credentials');
});

it('puts a restart into an answer with one section', () => {
  expect(restarted(sdp('v=0', 'm=video 9 X 96', 'a=ice-ufrag:o', 'a=ice-pwd:o'), sdp('a=ice-ufrag:n', 'a=ice-pwd:p', 'a=candidate:2'))).toBe(
    sdp('v=0', 'm=video 9 X 96', 'a=ice-ufrag:n', 'a=ice-pwd:p', 'a=candidate:2'),
  );
});
