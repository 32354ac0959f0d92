interface Codec {
  readonly mimeType: string;
  readonly sdpFmtpLine?: string;
}

/**
 * The codecs to offer, best first: H264 passes through the server as it is, in every profile but only in packetization
 * mode 1 (RFC 6184, 6.2); VP8 has to be encoded again and stands in where there is no H264. What repairs them stays.
 */
export function preferredCodecs<C extends Codec>(codecs: readonly C[]): C[] {
  const of = (name: string): C[] => codecs.filter((c) => c.mimeType.toLowerCase() === `video/${name}`);
  const h264 = of('h264').filter((c) => (c.sdpFmtpLine ?? '').includes('packetization-mode=1'));
  const video = [...h264, ...of('vp8')];
  return video.length === 0 ? [...codecs] : [...video, ...of('rtx')];
}
