import { StudioApi, type Warning } from './api';
import { Silence } from './capture/meter';
import { Picture } from './capture/picture';
import { frameRate } from './capture/shape';
import { ServerClock } from './clock';
import { Concerns, inOrder } from './concerns';
import type { I18n } from './i18n';
import { phase, sending, type Phase } from './phase';
import { OwnPublish } from './own-publish';
import { PinDesk } from './pin-desk';
import { loadPrefs, savePrefs, type Prefs } from './prefs';
import { installProbe } from './probe';
import { Broadcast } from './publish/broadcast';
import { StudioRoom } from './room';
import { RoomKey } from './room-key';
import { secureAddress, trustPage } from './secure-page';
import { Page } from './ui/page';
import type { Actions, KeyState, View } from './ui/view';
import { WakeLock } from './wake-lock';
import type { WhipError } from './whip/client';

const meterEveryMs = 80;
const toastMs = 5_000;
const awayMs = 8_000; // how long the notice about an absence stays
/** A picture that has been up for this long is taken for shown although the server cannot be asked. */
const trustUpMs = 6_000;
/** The anchor's page: the camera, the broadcast, the room and its products, brought together. */
export class Studio implements Actions {
  private prefs: Prefs = loadPrefs();
  private readonly clock = new ServerClock();
  private readonly key: RoomKey;
  private readonly own: OwnPublish;
  private readonly api: StudioApi;
  private readonly page: Page;
  private readonly picture: Picture;
  private readonly broadcast: Broadcast;
  private readonly room: StudioRoom;
  private readonly desk: PinDesk;
  private readonly concerns = new Concerns();
  private readonly silence = new Silence();
  private readonly lock = new WakeLock();
  private readonly note: (state: Phase) => void;
  private keyState: KeyState = 'wanted';
  private phase: Phase = 'loading';
  private wasShown = false;
  private upSince = 0;
  private ended = false;
  private endedMs: number | null = null;
  private endedId: string | null = null;
  private leaving = false; // from the end that was asked for to the server's answer
  private silent = false;
  private hiddenOnAir = false;
  private backAt = -Infinity;
  private toast = '';
  private toastTimer: ReturnType<typeof setTimeout> | undefined;
  private trustUrl: string | null = null;

  constructor(
    roomId: string,
    private readonly i18n: I18n,
  ) {
    this.key = new RoomKey(roomId, () => sessionStorage);
    this.own = new OwnPublish(roomId, () => sessionStorage);
    this.api = new StudioApi(roomId, location.href, () => this.key.value, () => i18n.lang);
    this.page = new Page(i18n, this, () => this.picture.frame());
    this.picture = new Picture(this.page.preview, () => this.prefs, () => this.pictureChanged());
    this.broadcast = new Broadcast({
      endpoint: `/whip/${encodeURIComponent(roomId)}`,
      key: () => this.key.value,
      tracks: () => this.picture.tracks(),
      definition: () => this.prefs.definition,
      displaced: () => this.displaced(),
      onChange: () => this.publisherChanged(),
    });
    this.room = new StudioRoom({
      api: this.api,
      clock: this.clock,
      eventsUrl: new URL(`/live/${encodeURIComponent(roomId)}/events?role=anchor`, location.href).href,
      hasKey: () => this.key.value !== '',
      onAir: () => sending(this.phase) || this.phase === 'elsewhere',
      onChange: () => this.update(),
    });
    this.desk = new PinDesk({
      control: this.broadcast.control,
      api: this.api,
      clock: this.clock,
      pins: () => this.room.view?.pins ?? [],
      refresh: () => this.room.refresh(),
      onChange: () => this.update(),
      now: () => performance.now(),
    });
    this.note = installProbe({ phase: () => this.phase, taps: this.desk.taps, quality: () => this.broadcast.quality, channel: () => this.broadcast.control.open });
  }

  async start(): Promise<void> {
    if (this.key.read(location.hash)) history.replaceState(null, '', location.pathname + location.search);
    this.i18n.onChange(() => {
      this.update();
      void this.room.refresh(); // its warnings come in the other language
    });
    this.watchPage();
    this.update();
    await this.room.refresh();
    if (await this.mayOpenCamera()) void this.picture.open();
  }

  enterKey(key: string): void {
    this.key.keep(key);
    this.keyState = 'checking';
    this.update();
    void this.room.refresh().then(async () => {
      if (this.room.wrongKey) this.key.forget();
      this.keyState = this.room.tooMany ? 'many' : this.room.status === 'locked' ? 'wrong' : 'wanted';
      this.update();
      if (await this.mayOpenCamera()) void this.picture.open();
    });
  }

  forgetKey(): void {
    this.key.forget();
    this.keyState = 'wanted';
    this.picture.close();
    void this.room.refresh();
  }

  retry(): void {
    void this.room.refresh();
  }

  openCamera(): void {
    void this.picture.open();
  }

  goLive(): void {
    if (!this.picture.tracks()) return void this.picture.open();
    this.ended = this.wasShown = false;
    this.endedMs = null;
    this.picture.hold(true);
    this.broadcast.publisher.start();
  }

  end(): void {
    const shown = this.wasShown;
    this.endedMs = shown ? this.elapsed() : null;
    this.endedId = shown ? (this.room.view?.show?.id ?? null) : null;
    this.leaving = true;
    this.update();
    void this.stop(shown).then(() => this.room.refresh()).finally(() => {
      this.leaving = false;
      this.ended = shown;
      if (shown) this.picture.close(); // the light of the camera goes out with the show
      this.update();
    });
  }

  /** Ends a show that was seen, also one that waits for its picture; a start that is called off leaves such a show alone. */
  private async stop(shown: boolean): Promise<void> {
    await this.broadcast.publisher.stop(shown || this.room.view?.state !== 'interrupted');
    await this.room.refresh();
    if (shown && this.room.view?.state === 'interrupted') await this.api.end().catch(() => undefined); // it ends by itself
  }

  leaveEnded(): void {
    this.ended = false;
    void this.picture.open();
  }

  toggleMute(): void {
    this.picture.mute(!this.picture.muted);
  }

  flip(): void {
    this.choose(this.picture.next());
  }

  choose(change: Partial<Prefs>): void {
    const fixed = sending(this.phase);
    if (fixed && (change.definition !== undefined || change.shape !== undefined)) return;
    this.prefs = { ...this.prefs, ...change };
    savePrefs(this.prefs);
    const reopens = ['videoId', 'audioId', 'facing', 'definition', 'shape', 'voice'].some((name) => name in change);
    if (reopens && this.picture.camera.state !== 'off') void this.picture.open();
    this.picture.frame();
  }

  togglePin(productId: string, at: number): void {
    if (!this.canPin()) return this.say(this.i18n.t('bag.notLive'));
    void this.desk.toggle(productId, at, this.prefs.single).then((why) => {
      if (why !== null) this.say(why === '' || why.startsWith('status ') ? this.i18n.t('bag.failedPlain') : this.i18n.t('bag.failed', { why }));
    });
  }

  /** Opens the camera without asking when the anchor has allowed it before. */
  private async mayOpenCamera(): Promise<boolean> {
    if (this.room.status !== 'known' || this.picture.camera.state !== 'off') return false;
    if (!window.isSecureContext || !('mediaDevices' in navigator)) {
      this.trustUrl = await trustPage();
      return true; // it says why it cannot
    }
    try {
      return (await navigator.permissions.query({ name: 'camera' })).state === 'granted';
    } catch {
      return false; // a browser that does not tell: a tap asks
    }
  }

  private watchPage(): void {
    window.addEventListener('beforeunload', (e) => {
      if (sending(this.phase)) e.preventDefault();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.hiddenOnAir = this.phase === 'live';
      else if (this.hiddenOnAir) this.backAt = performance.now();
      this.update();
    });
    document.addEventListener('pointerdown', () => this.picture.meter.wake());
    setInterval(() => this.listen(), meterEveryMs);
    setInterval(() => this.update(), 1_000);
  }

  private listen(): void {
    if (document.visibilityState === 'hidden') return;
    const share = this.picture.muted ? null : this.picture.meter.level();
    this.page.controls.level(share);
    if (share === null) this.silence.forget();
    this.silent = share !== null && this.silence.observe(share, performance.now());
  }

  private pictureChanged(): void {
    this.broadcast.replace();
    this.update();
  }

  private publisherChanged(): void {
    const { state } = this.broadcast.publisher;
    if (state === 'up' && this.upSince === 0) {
      this.upSince = performance.now();
      // The publisher that the server tells of now is this page.
      void this.room.refresh().then(() => {
        const seen = this.room.view?.publisher;
        if (seen && this.upSince > 0 && !this.room.stale) this.own.claim(seen);
        this.update();
      });
    }
    if (state !== 'up') this.upSince = 0;
    if (state === 'off' || state === 'refused' || state === 'displaced') this.picture.hold(false);
    if (state === 'displaced') this.say(this.i18n.t('displaced'));
    this.update();
  }

  /** Whether somebody else publishes now. */
  private async displaced(): Promise<boolean> {
    const { publisher } = await this.api.view();
    return publisher !== null && !this.own.is(publisher);
  }

  private canPin(): boolean {
    return this.phase === 'live' || this.phase === 'reconnecting' || this.phase === 'elsewhere';
  }

  private say(words: string): void {
    this.toast = words;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      this.toast = '';
      this.update();
    }, toastMs);
    this.update();
  }

  /** How long the show has been on, by the server's clock. */
  private elapsed(): number | null {
    const started = this.room.view?.show?.startedMs ?? null;
    return started === null ? null : Math.max(0, this.clock.serverNow() - started);
  }

  /** Brings the page in line with what is known. Cheap, and safe to call at any time. */
  private update(): void {
    const { view } = this.room;
    const { publisher } = this.broadcast;
    const up = publisher.state === 'up';
    const shown = up && (view?.state === 'live' || (this.room.stale && performance.now() - this.upSince > trustUpMs));
    this.wasShown ||= shown;
    const idle = publisher.state === 'off' || publisher.state === 'refused' || publisher.state === 'displaced';
    this.phase = phase({
      room: this.room.status,
      publisher: publisher.state,
      shown,
      wasShown: this.wasShown,
      elsewhere: idle && !this.leaving && view?.publisher != null && !this.own.is(view.publisher),
      ended: this.ended || this.leaving,
    });
    this.note(this.phase);
    this.lock.want(this.picture.camera.state === 'on' && this.phase !== 'ended');
    this.page.render(this.view());
  }

  private view(): View {
    const { room, picture, broadcast, prefs } = this;
    const { camera } = picture;
    const seen = room.view;
    return {
      phase: this.phase,
      title: seen?.title ?? '',
      key: this.keyState,
      stale: room.stale,
      viewers: room.viewers,
      elapsedMs: this.elapsed(),
      camera: camera.state,
      mirrored: picture.mirrored,
      picture: picture.size,
      muted: picture.muted,
      hasMicrophone: camera.state !== 'on' || camera.audio !== null,
      quality: broadcast.quality,
      publisher: seen?.publisher ?? null,
      connected: broadcast.publisher.state === 'up',
      resumable: seen?.state === 'interrupted' || this.own.is(seen?.publisher ?? null),
      busy: this.leaving,
      trouble: this.trouble(),
      warnings: this.warnings(),
      products: seen?.products ?? [],
      productsKnown: seen !== null,
      showing: this.desk.showing(),
      pending: this.desk.pending(),
      canPin: this.canPin(),
      cameraId: camera.video?.getSettings().deviceId ?? '',
      microphoneId: camera.audio?.getSettings().deviceId ?? '',
      cameras: camera.cameras,
      microphones: camera.microphones,
      prefs,
      fixed: sending(this.phase),
      endedMs: this.endedMs,
      endedEditor: this.endedId === null ? null : `/edit/${encodeURIComponent(this.endedId)}`,
      watchUrl: seen?.watchUrl ?? null,
      secureUrl: secureAddress(seen?.studioUrl ?? null),
      trustUrl: this.trustUrl,
      toast: this.toast,
    };
  }

  /** What stands in the way of going on air, in words. */
  private trouble(): string {
    const { state, trouble } = this.broadcast.publisher;
    if (!trouble || state === 'up' || state === 'off') return '';
    if (state !== 'refused') return trouble.status === 0 ? '' : trouble.detail;
    return refusal(trouble, this.i18n);
  }

  private warnings(): Warning[] {
    const { picture, i18n } = this;
    const { camera } = picture;
    const onAir = sending(this.phase);
    const server = onAir || this.phase === 'elsewhere' ? (this.room.view?.warnings ?? []) : [];
    if (camera.state !== 'on') return inOrder([], server);
    const facts = {
      sending: onAir,
      muted: picture.muted,
      hasMicrophone: camera.audio !== null,
      silent: this.silent,
      interrupted: camera.interrupted,
      away: performance.now() - this.backAt < awayMs,
      quality: this.phase === 'live' ? this.broadcast.quality : null,
      wantFps: frameRate,
    };
    return inOrder(this.concerns.review(facts, performance.now(), (k) => i18n.t(k)), server);
  }
}



function refusal(why: WhipError, i18n: I18n): string {
  if (why.status === 401 || why.status === 403) return i18n.t('refused.key');
  if (why.status === 404) return i18n.t('refused.room');
  return why.detail === '' ? i18n.t('refused.plain', { status: why.status }) : i18n.t('refused.other', { why: why.detail });
}

