import { backoff } from '../channel/backoff';
import { Timeline } from '../timeline/timeline';
import { need, setAttr } from '../ui/dom';
import type { I18n } from '../viewer/i18n';
import type { Phase } from '../viewer/phase';
import { PinTrack } from '../viewer/pin-track';
import type { Trouble } from '../viewer/player/engine';
import type { FrameTick } from '../viewer/player/frame-clock';
import { Player } from '../viewer/player/player';
import { Probe } from '../viewer/probe';
import { Shop, type Where } from '../viewer/shop';
import { talkShown } from '../viewer/talk-shown';
import { Page } from '../viewer/ui/page';
import type { Actions, View } from '../viewer/ui/view';
import { fetchClip, UnknownClip, type Clip } from './clip-api';
import { ClipBar } from './clip-bar';

const besideEveryMs = 250;
const saidLines = 4;
const saidForMs = 45_000;
const backMs = 10_000;
const endMs = 30; // a player seldom stops on the very last frame

/** The page of a clip: it plays, shows what stood on the picture, and sells it. */
export class ClipViewer implements Actions {
  private readonly player: Player;
  private readonly page: Page;
  private readonly pins: PinTrack;
  private readonly probe: Probe;
  private readonly shop: Shop;
  private readonly bar: ClipBar;
  private readonly timelines = new Map<string, Timeline>();
  private clip: Clip | null = null;
  private status: 'loading' | 'unknown' | 'failed' | 'known' = 'loading';
  private over = false;
  private unsupported = false;
  private trouble: Trouble | null = null;
  private attempt = 0;
  private besideAt = 0;

  constructor(
    private readonly id: string,
    i18n: I18n,
  ) {
    this.shop = new Shop(i18n, () => this.place(), () => this.update());
    this.bar = new ClipBar(i18n);
    const product = (productId: string) => this.clip?.products.find((p) => p.id === productId) ?? null;
    this.page = new Page(i18n, this, product, this.shop.offers.root, {
      extra: this.bar.root,
      badge: 'clip.badge',
      panels: {
        unknown: { title: 'clip.unknown', text: 'clip.unknownText' },
        ended: { title: 'clip.over', text: 'ended.text', action: { label: 'clip.again', act: (a) => a.watchReplay() } },
      },
    });
    this.shop.bag = this.page.bag;
    this.player = new Player(this.page.video, {
      frame: (tick) => this.onFrame(tick),
      playlist: () => undefined, // the clip's own file says more
      trouble: (t) => {
        this.trouble = t;
        this.update();
      },
      ended: () => this.finish(),
      change: () => this.update(),
      unsupported: () => {
        this.unsupported = true;
        this.update();
      },
    });
    const stages = { timeline: (showId: string) => this.timeline(showId), serverNow: () => null, serverPassed: () => undefined };
    this.pins = new PinTrack(stages, this.player, this.page.cards);
    this.probe = new Probe(this.pins, () => this.phase(), () => null);
    this.pins.onSeen = (pin) => this.shop.seen(pin);
    i18n.onChange(() => {
      this.page.bag.translate();
      this.page.cards.refresh();
      this.bar.translate();
      this.update();
    });
  }

  start(): void {
    this.probe.install();
    this.update();
    void this.load();
  }

  toggle(): void {
    if (this.over) return this.watchReplay();
    this.player.toggle();
    this.update();
  }

  toggleSound(): void {
    if (this.page.video.muted) this.player.unmute();
    else this.page.video.muted = true;
  }

  watchReplay(): void {
    this.seek(0);
    this.player.play();
  }

  seek(ms: number): void {
    if (!this.clip) return;
    this.over = false;
    this.player.seek(this.pins.map.toPlay(this.clip.fromMs + ms) / 1000);
    this.update();
  }

  back(): void {
    this.seek(Math.max(0, this.positionMs() - backMs));
  }

  toggleTalk(): void {
    talkShown.toggle();
    this.update();
  }

  retry(): void {
    this.player.retry();
    if (this.status !== 'known') void this.load();
  }

  openBag(): void {
    this.page.openBag();
  }

  openProduct(productId: string, pinId: string | null, opener: HTMLElement | null = null): void {
    this.shop.product(productId, pinId ?? this.pins.pinOf(productId), opener);
  }

  openOrders(): void {
    this.shop.orders();
  }

  openLottery(id: string, known: Readonly<Record<string, unknown>>): void {
    this.shop.openLottery(id, known);
  }

  redraw(): void {
    this.update();
  }

  // A clip is not on air: the page offers none of what follows.
  jumpToLive(): void {
    this.update();
  }

  watchLive(): void {
    this.update();
  }

  like(): void {
    this.update();
  }

  say(): Promise<string | null> {
    return Promise.resolve(null);
  }

  remind(showId: string): Promise<string> {
    return this.shop.remind(showId);
  }

  private async load(): Promise<void> {
    try {
      const clip = await fetchClip(this.id, location.href);
      this.status = 'known';
      this.play(clip);
    } catch (why) {
      this.status = why instanceof UnknownClip ? 'unknown' : 'failed';
      if (this.status === 'failed') setTimeout(() => void this.load(), backoff(this.attempt++, Math.random, 1_000, 15_000));
    }
    this.update();
  }

  /** The file where there is one, as it begins and ends on the very frame; else the segments of the show. */
  private play(clip: Clip): void {
    this.clip = clip;
    const timeline = this.timeline(clip.showId);
    timeline.epochs.tell(clip.epochs);
    for (const e of clip.events) timeline.event(e);
    this.bar.show(clip);
    setAttr(need('#viewer'), 'data-styled', clip.styled);
    this.pins.follow({ kind: 'replay', showId: clip.showId });
    this.page.video.poster = clip.poster;
    if (clip.mp4 !== null) {
      this.pins.map = clip.mp4.map;
      void this.player.load({ kind: 'file', url: clip.mp4.url }, true);
    } else if (clip.hls) {
      this.pins.map = clip.hls.map;
      void this.player.load({ kind: 'replay', url: clip.hls.url, startS: clip.hls.map.toPlay(clip.fromMs) / 1000 }, true);
    }
  }

  private timeline(showId: string): Timeline {
    const known = this.timelines.get(showId) ?? new Timeline(showId, location.href);
    this.timelines.set(showId, known);
    return known;
  }

  private place(): Where {
    return { showId: this.clip?.showId ?? null, showTimeMs: this.pins.moment.showMs, source: 'clip' };
  }

  private onFrame(tick: FrameTick): void {
    const { clip } = this;
    if (!clip) return;
    this.pins.frame(tick);
    if ((this.pins.moment.showMs ?? 0) >= clip.toMs - endMs && clip.mp4 === null) this.finish();
    const now = performance.now();
    this.page.stage.paint(now);
    if (now - this.besideAt < besideEveryMs) return;
    this.besideAt = now;
    this.update();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.page.video.pause();
    this.update();
  }

  private phase(): Phase {
    if (this.status !== 'known') return this.status;
    return this.over ? 'ended' : 'replay';
  }

  private positionMs(): number {
    const { clip } = this;
    if (!clip) return 0;
    const at = this.pins.map.toShow(this.page.video.currentTime * 1000) - clip.fromMs;
    return Math.min(Math.max(0, at), clip.toMs - clip.fromMs);
  }

  private update(): void {
    const phase = this.phase();
    this.probe.state(phase);
    const view = this.view(phase);
    this.page.cards.root.hidden = this.clip?.styled === true; // they are in the picture
    this.page.render(view);
    const offers = this.clip ? this.timeline(this.clip.showId).offers : null;
    this.shop.render(view.offers, view.showMs, (id) => (view.showMs === null ? null : (offers?.state(id, view.showMs) ?? null)), (id) => offers?.over(id, true) ?? true);
  }

  private view(phase: Phase): View {
    const { clip, player } = this;
    const { showMs } = this.pins.moment;
    const timeline = clip && showMs !== null ? this.timeline(clip.showId) : null;
    return {
      phase,
      title: clip?.title ?? '',
      latencyMs: null,
      viewers: null,
      paused: player.paused,
      muted: this.page.video.muted,
      needsTap: player.needsTap,
      buffering: player.buffering || (clip !== null && this.page.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA),
      behindLive: false,
      liveElsewhere: false,
      unsupported: this.unsupported,
      replayComing: false,
      trouble: this.trouble,
      offers: timeline && showMs !== null ? timeline.offers.at(showMs) : [],
      said: timeline && showMs !== null && talkShown.value ? timeline.talk.at(showMs, saidLines, saidForMs) : [],
      likes: null,
      talking: false,
      showMs,
      nextShow: null,
      products: clip?.products ?? [],
      productsKnown: clip !== null,
      showing: this.pins.showing(),
      chapters: clip?.chapters ?? [],
      tiles: [],
      canGoBack: false,
      talkShown: talkShown.value,
      positionMs: this.positionMs(),
      durationMs: clip ? clip.toMs - clip.fromMs : 0,
    };
  }
}
