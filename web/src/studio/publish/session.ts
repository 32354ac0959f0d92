import { fragment, restarted } from '../whip/sdp';
import type { WhipClient, WhipResource } from '../whip/client';
import { preferredCodecs } from './codecs';
import type { Control } from './control';
import type { Link, LinkEvent } from './publisher';
import { readTotals, type Totals } from './quality';

/** What is sent, and at most how much of it. */
export interface Outgoing {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack;
  readonly maxBitrate: number; // of the video, bit/s
  readonly maxFramerate: number;
}

/** As long as this an offer waits for candidates, so that most sessions need no PATCH. */
const gatherMs = 200;
const batchMs = 50;
const audioBitrate = 96_000;
/** So long the end of a show waits for the server to hear of it. */
const deleteMs = 3_000;
/** So long a connection may take that was offered without the servers its answer named (RFC 9725, 4.6). */
const newServersMs = 2_500;

/** The STUN and TURN servers that the endpoint has named; it names them with each answer. */
let known: RTCIceServer[] = [];

/** One WebRTC connection to the server, set up by WHIP. */
export class Session implements Link {
  private readonly pc: RTCPeerConnection;
  private readonly channel: RTCDataChannel;
  private readonly videoSender: RTCRtpSender;
  private readonly audioSender: RTCRtpSender;
  private resource: WhipResource | null = null;
  private pending: string[] = []; // candidates the server has not heard of
  private gathered = false;
  private sentAll = false;
  private batch: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly client: WhipClient,
    private readonly outgoing: Outgoing,
    private readonly control: Control,
    private readonly tell: (event: LinkEvent) => void,
  ) {
    this.pc = new RTCPeerConnection({ iceServers: known, bundlePolicy: 'max-bundle' });
    this.channel = this.pc.createDataChannel('vitrine');
    const stream = new MediaStream([outgoing.video, outgoing.audio]);
    const video = this.pc.addTransceiver(outgoing.video, { direction: 'sendonly', streams: [stream], sendEncodings: [this.encoding()] });
    const audio = this.pc.addTransceiver(outgoing.audio, { direction: 'sendonly', streams: [stream], sendEncodings: [{ maxBitrate: audioBitrate }] });
    prefer(video);
    this.videoSender = video.sender;
    this.audioSender = audio.sender;
    this.listen();
  }

  async start(): Promise<void> {
    await this.steady();
    await this.pc.setLocalDescription(await this.pc.createOffer());
    await this.gather();
    const { answer, resource, iceServers } = await this.client.offer(this.takeLocal());
    this.resource = resource;
    if (this.closed) return void resource.delete().catch(() => undefined); // nobody wants it any more
    const news = iceServers.length > known.length;
    known = iceServers;
    if (news) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer });
    this.flushSoon();
    await this.steady(); // some browsers take parameters only now
    if (news) setTimeout(() => this.useServers(), newServersMs);
  }

  /** The servers that the answer named help from the next gathering on: that is now, if it did not go without them. */
  private useServers(): void {
    if (!this.closed && this.pc.connectionState !== 'connected') this.restart().catch(() => this.closed || this.tell('down'));
  }

  async restart(): Promise<void> {
    if (!this.resource) throw new Error('there is no session to restart');
    this.gathered = this.sentAll = false;
    this.pending = [];
    await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: true }));
    await this.gather();
    const sdp = this.takeLocal();
    const candidates = sdp.split('\r\n').filter((l) => l.startsWith('a=candidate:')).map((l) => l.slice(2));
    const answered = await this.resource.restart(fragment(sdp, [...new Set(candidates)], this.gathered));
    await this.pc.setRemoteDescription({ type: 'answer', sdp: restarted(this.pc.currentRemoteDescription?.sdp ?? '', answered) });
    this.flushSoon();
  }

  async close(end: boolean): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.batch);
    this.control.detach();
    const { resource } = this;
    // The request first: a connection that just closes is one that was lost, and the show would wait for it.
    if (end && resource) await Promise.race([resource.delete().catch(() => undefined), new Promise((r) => setTimeout(r, deleteMs))]);
    this.pc.close();
  }

  async replace(video: MediaStreamTrack, audio: MediaStreamTrack): Promise<void> {
    if (this.closed) return;
    if (this.videoSender.track !== video) await this.videoSender.replaceTrack(video);
    if (this.audioSender.track !== audio) await this.audioSender.replaceTrack(audio);
    await this.steady();
  }

  async totals(): Promise<Totals> {
    const reports: Record<string, unknown>[] = [];
    (await this.pc.getStats()).forEach((r) => reports.push(r as Record<string, unknown>));
    return readTotals(reports, performance.now());
  }

  private encoding(): RTCRtpEncodingParameters {
    return { maxBitrate: this.outgoing.maxBitrate, maxFramerate: this.outgoing.maxFramerate, scaleResolutionDownBy: 1 };
  }

  /**
   * Keeps the size of the picture from the first frame on: a weak uplink costs frames, not pixels, so that the show does
   * not begin as a stamp and change its parameters. Where the browser does not know the preference, the hint that the
   * picture has detail does the same.
   */
  private async steady(): Promise<void> {
    const { videoSender: sender } = this;
    const parameters = sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    const [first] = parameters.encodings;
    if (first) Object.assign(first, this.encoding());
    await sender.setParameters(parameters).catch(() => undefined);
    const kept = sender.getParameters().degradationPreference === 'maintain-resolution';
    if (sender.track && !kept) sender.track.contentHint = 'detail';
  }

  private listen(): void {
    const { pc, channel } = this;
    pc.addEventListener('connectionstatechange', () => this.onState(pc.connectionState));
    pc.addEventListener('icecandidate', (e) => this.onCandidate(e.candidate));
    channel.addEventListener('open', () => this.closed || this.control.attach(channel));
    channel.addEventListener('message', (e) => this.closed || this.control.take(e.data));
    channel.addEventListener('close', () => this.closed || this.tell('gone'));
  }

  private onState(state: RTCPeerConnectionState): void {
    if (this.closed) return;
    if (state === 'connected') this.tell('up');
    else if (state === 'disconnected') this.tell('shaky');
    else if (state === 'failed') this.tell('down');
    else if (state === 'closed') this.tell('gone');
  }

  private onCandidate(candidate: RTCIceCandidate | null): void {
    if (candidate && candidate.candidate !== '') this.pending.push(candidate.candidate);
    else this.gathered = true;
    this.flushSoon();
  }

  /** Waits until all candidates are there, or for as long as an offer may wait. */
  private async gather(): Promise<void> {
    const until = performance.now() + gatherMs;
    while (!this.gathered && performance.now() < until) await new Promise((r) => setTimeout(r, 10));
  }

  /** The local description with the candidates so far, which then need not be told again. */
  private takeLocal(): string {
    this.pending = [];
    this.sentAll = this.gathered;
    return this.pc.localDescription?.sdp ?? '';
  }

  private flushSoon(): void {
    clearTimeout(this.batch);
    this.batch = setTimeout(() => void this.flush(), batchMs);
  }

  private async flush(): Promise<void> {
    const { resource } = this;
    if (!resource || this.closed || this.pc.signalingState !== 'stable') return;
    const candidates = this.pending.splice(0);
    if (candidates.length === 0 && (this.sentAll || !this.gathered)) return;
    this.sentAll = this.gathered;
    // Without trickle at the server, or after a restart overtook it, the candidates of the offer have to do.
    await resource.trickle(fragment(this.pc.localDescription?.sdp ?? '', candidates, this.gathered)).catch(() => undefined);
  }
}

function prefer(transceiver: RTCRtpTransceiver): void {
  const { codecs } = RTCRtpSender.getCapabilities('video') ?? { codecs: [] };
  if (codecs.length === 0 || typeof transceiver.setCodecPreferences !== 'function') return;
  try {
    transceiver.setCodecPreferences(preferredCodecs(codecs));
  } catch {
    // The browser's own order then: the server chooses H264 out of any.
  }
}
