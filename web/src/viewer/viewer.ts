import type { I18n } from './i18n';
import type { Trouble } from './player/engine';
import type { FrameTick } from './player/frame-clock';
import { Player } from './player/player';
import type { Product } from '../product/product';
import { liveElsewhere, phase, target, type Facts, type Phase, type Playing } from './phase';
import { posterUrl, replayUrl } from './room-api';
import { Recorded } from './recorded';
import { Room } from './room';
import { PinTrack } from './pin-track';
import { Shop, type Where } from './shop';
import { Probe } from './probe';
import type { OfferState } from '../timeline/offers';
import { Page } from './ui/page';
import type { Actions, View } from './ui/view';
import { talkShown } from './talk-shown';

/** A picture that has not moved for this long is not flowing: of a show on air, and of one that is over. */
const stillMs = { onAir: 900, over: 4_000 };
const replayTries = 12; // a second apart, after the end of a show
const backMs = 30_000; // a step back
const saidLines = 4; // of what viewers said, over the picture
const saidForMs = 45_000;
const besideEveryMs = 250; // what stands beside the pins follows the picture in such steps

/** The page: the room tells what there is, the player plays it, the pins follow its frames. */
export class Viewer implements Actions {
  private readonly room: Room;
  private readonly player: Player;
  private readonly page: Page;
  private readonly pins: PinTrack;
  private readonly probe: Probe;
  private readonly shop: Shop;
  private playing: Playing | null = null;
  private endedId: string | null = null;
  private replayBegun = false;
  private engrossed = false;
  private unsupported = false;
  private trouble: Trouble | null = null;
  private triesLeft = 0;
  private recorded: Recorded | null = null; // of what plays
  private shifted = false;
  private shiftToMs = 0;
  private lastTime = -1;
  private movedAt = 0;
  private phase: Phase = 'loading';
  private bagWas: readonly Product[] = [];
  private besideAt = 0;
  private besideWas = '';

  constructor(roomId: string, i18n: I18n) {
    this.shop = new Shop(i18n, () => this.place(), () => this.update());
    this.page = new Page(i18n, this, (id) => this.room.product(id), this.shop.offers.root);
    this.shop.bag = this.page.bag;
    this.player = new Player(this.page.video, {
      frame: (tick) => this.onFrame(tick),
      playlist: (segments, ranges) => this.pins.playlist(segments, ranges),
      trouble: (t) => {
        this.trouble = t;
        this.update();
      },
      ended: () => this.update(),
      change: () => this.update(),
      unsupported: () => {
        this.unsupported = true;
        this.update();
      },
    });
    this.room = new Room(roomId, location.href, () => this.update());
    this.pins = new PinTrack(this.room, this.player, this.page.cards);
    this.probe = new Probe(this.pins, () => this.phase, () => this.pins.latencyMs());
    this.pins.onSeen = (pin) => this.shop.seen(pin);
    i18n.onChange(() => {
      this.page.bag.translate();
      this.page.cards.refresh();
      this.update();
    });
  }

  start(): void {
    this.probe.install();
    this.player.warm();
    this.update();
    void this.room.refresh().then(() => this.openLinked());
  }

  /** A link to a product of the room, as chapters and clips carry it, opens that product's page beside the show. */
  private openLinked(): void {
    const id = new URLSearchParams(location.search).get('product');
    if (id !== null && this.room.product(id)?.link === 'checkout') this.openProduct(id, null);
  }

  toggle(): void {
    const resumesLive = this.playing?.kind === 'live' && this.player.paused;
    if (this.playing?.kind === 'replay') this.replayBegun = true;
    if (resumesLive && this.player.behindLive) this.player.jumpToLive();
    else this.player.toggle();
    this.update();
  }

  toggleSound(): void {
    if (this.page.video.muted) this.player.unmute();
    else this.page.video.muted = true;
  }

  jumpToLive(): void {
    this.player.jumpToLive();
  }

  watchLive(): void {
    this.engrossed = this.shifted = false;
    this.update();
  }

  back(): void {
    const { showMs } = this.pins.moment;
    if (this.playing?.kind === 'live') this.shift(Math.max(0, (showMs ?? this.durationMs()) - backMs));
    else this.seek(Math.max(0, this.page.video.currentTime * 1000 - backMs));
  }

  toggleTalk(): void {
    talkShown.toggle();
    this.update();
  }

  watchReplay(): void {
    this.replayBegun = true;
    this.player.seek(0);
    this.player.play();
    this.update();
  }

  seek(ms: number): void {
    if (this.playing?.kind === 'live') return this.shift(ms);
    this.replayBegun = this.engrossed = true;
    this.player.seek(ms / 1000);
    this.update();
  }

  retry(): void {
    this.player.retry();
    void this.room.refresh();
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

  say(text: string): Promise<string | null> {
    return this.shop.say(text);
  }

  like(): void {
    this.shop.likes.tap();
  }

  remind(showId: string): Promise<string> {
    return this.shop.remind(showId);
  }

  redraw(): void {
    this.update();
  }

  /** Goes back in the show on air. */
  private shift(showMs: number): void {
    if (this.playing?.kind !== 'live' || this.room.dvrUrl === null) return;
    this.shifted = true;
    this.shiftToMs = showMs;
    this.update();
  }

  /** Where in the show the viewer stands. */
  private place(): Where {
    const { playing } = this;
    if (!playing) return { showId: null, showTimeMs: null, source: 'external' };
    const source = playing.kind === 'replay' ? 'replay' : playing.kind === 'shift' || this.player.behindLive ? 'time_shift' : 'live';
    return { showId: playing.showId, showTimeMs: this.pins.moment.showMs, source };
  }

  private onFrame(tick: FrameTick): void {
    this.pins.frame(tick);
    this.skipCut();
    const now = performance.now();
    this.page.stage.paint(now);
    if (now - this.besideAt < besideEveryMs) return;
    this.besideAt = now;
    const changes = JSON.stringify([this.beside().offers, this.beside().said.map((s) => s.id)]);
    if (changes !== this.besideWas || this.beside().offers.length > 0) this.update();
    this.besideWas = changes;
  }

  /** What was cut out of a replay inside a segment is passed over. */
  private skipCut(): void {
    const { showMs } = this.pins.moment;
    const to = this.playing?.kind === 'replay' && showMs !== null ? this.pins.map.skip(showMs) : null;
    if (to !== null && !this.page.video.seeking && to > this.page.video.currentTime * 1000) this.player.seek(to / 1000);
  }

  private facts(): Facts {
    return {
      room: this.room.status,
      roomState: this.room.state,
      showId: this.room.showOnAir,
      replayId: this.room.lastShow?.id ?? null,
      endedId: this.endedId,
      playing: this.playing,
      flowing: this.flowing(),
      waitingForHost: this.phase === 'reconnecting',
      replayBegun: this.replayBegun,
      engrossed: this.engrossed,
      shifted: this.shifted,
    };
  }

  private flowing(): boolean {
    const { video } = this.page;
    const now = performance.now();
    if (video.currentTime !== this.lastTime) this.movedAt = now;
    this.lastTime = video.currentTime;
    if (video.ended) return false;
    if (video.paused && !this.player.needsTap && this.player.bufferedAhead > 0.2) return true;
    return now - this.movedAt < (this.room.showOnAir !== null ? stillMs.onAir : stillMs.over);
  }

  /** Brings the player and the page in line with what is known. Cheap, and safe to call at any time. */
  private update(): void {
    if (this.recorded) this.pins.map = this.recorded.map;
    const facts = this.facts();
    const { playing } = this;
    if (playing?.kind === 'live' && facts.room === 'known' && facts.showId === null && !facts.flowing) this.showEnded(playing.showId);
    const next = target({ ...facts, endedId: this.endedId });
    if (next?.kind !== playing?.kind || next?.showId !== playing?.showId) this.switchTo(next);
    const last = { ...this.facts(), playing: this.playing };
    this.phase = phase(last);
    this.player.expect(this.playing?.kind !== 'live' || this.room.state === 'live');
    this.probe.state(this.phase);
    if (this.bagWas !== this.room.products) { // what is on the picture may be sold out now
      this.bagWas = this.room.products;
      this.page.cards.refresh();
    }
    const view = this.view(liveElsewhere(last));
    this.page.render(view);
    this.shop.render(view.offers, view.showMs, (id) => this.offerNow(id), (id) => this.offerOver(id));
  }

  private showEnded(showId: string): void {
    if (this.endedId === showId) return;
    this.endedId = showId;
    this.triesLeft = replayTries;
    this.findReplay();
  }

  /** Asks for the replay of the show that has just ended; it is there within a second or two. */
  private findReplay(): void {
    if (this.endedId === null || this.room.lastShow?.id === this.endedId || this.triesLeft-- <= 0) return this.update();
    void this.room.refresh().then(() => {
      if (this.room.lastShow?.id !== this.endedId) setTimeout(() => this.findReplay(), 1_000);
    });
  }

  private switchTo(next: Playing | null): void {
    this.page.stage.freeze();
    this.playing = next;
    this.trouble = null;
    this.engrossed = false;
    this.replayBegun = false;
    this.recorded?.close();
    this.recorded = null;
    this.lastTime = -1;
    this.movedAt = performance.now();
    this.page.video.poster = next?.kind === 'replay' ? posterUrl(next.showId) : '';
    this.pins.follow(next);
    if (next?.kind !== 'shift') this.shifted = false;
    if (next === null) return this.player.unload();
    this.recorded = new Recorded(next, this.room.timeline(next.showId), () => this.update());
    if (next.kind !== 'replay') this.endedId = null;
    if (next.kind === 'live') void this.player.load({ kind: 'live', url: this.room.liveUrl }, true);
    else if (next.kind === 'shift') void this.player.load({ kind: 'shift', url: this.room.dvrUrl ?? '', startS: this.shiftToMs / 1000 }, true);
    else void this.player.load({ kind: 'replay', url: replayUrl(next.showId) }, this.endedId === null);
  }

  private view(elsewhere: boolean): View {
    const { room, player } = this;
    const durationMs = this.durationMs();
    return {
      phase: this.phase,
      title: room.title,
      latencyMs: this.pins.latencyMs(),
      viewers: room.viewers,
      paused: player.paused,
      muted: this.page.video.muted,
      needsTap: player.needsTap,
      buffering: player.buffering || (this.playing !== null && this.page.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA),
      behindLive: player.behindLive,
      liveElsewhere: elsewhere,
      unsupported: this.unsupported,
      replayComing: this.endedId !== null && this.triesLeft > 0 && this.playing === null,
      trouble: this.trouble,
      ...this.beside(),
      nextShow: room.nextShow,
      products: room.products,
      productsKnown: room.status === 'known',
      showing: this.pins.showing(),
      chapters: this.recorded?.chapters(durationMs) ?? [],
      tiles: this.recorded?.tiles ?? [],
      canGoBack: this.playing?.kind === 'shift' || (this.playing?.kind === 'live' && room.dvrUrl !== null),
      talkShown: talkShown.value,
      positionMs: this.page.video.currentTime * 1000,
      durationMs,
    };
  }

  private offerNow(id: string): OfferState | null {
    const { showMs } = this.pins.moment;
    return this.playing && showMs !== null ? this.room.timeline(this.playing.showId).offers.state(id, showMs) : null;
  }

  private offerOver(id: string): boolean {
    const { playing } = this;
    return playing !== null && this.room.timeline(playing.showId).offers.over(id, playing.kind === 'replay');
  }

  /** What stands beside the pins at the instant of the picture. */
  private beside(): Pick<View, 'offers' | 'said' | 'likes' | 'talking' | 'showMs'> {
    const { playing } = this;
    const { showMs } = this.pins.moment;
    const live = playing?.kind === 'live' && this.phase === 'live';
    if (!playing || showMs === null) return { offers: [], said: [], likes: null, talking: live, showMs: null };
    const timeline = this.room.timeline(playing.showId);
    return {
      offers: timeline.offers.at(showMs),
      said: live || talkShown.value ? timeline.talk.at(showMs, saidLines, saidForMs) : [],
      likes: live ? this.room.likes : null,
      talking: live,
      showMs,
    };
  }

  /** How long what plays is: of a show on air, so far. */
  private durationMs(): number {
    const { playing, player } = this;
    const { duration } = this.page.video;
    if (!playing) return 0;
    if (playing.kind === 'live') return Math.max(this.pins.moment.showMs ?? 0, this.room.show?.durationMs ?? 0);
    if (playing.kind === 'shift') return (player.end ?? 0) * 1000;
    return Number.isFinite(duration) && duration > 0 ? duration * 1000 : (this.recorded?.durationMs ?? 0);
  }
}
