import { visiblePins } from '../timeline/pins';
import type { Stretch } from '../timeline/play-map';
import { ApiError, EditorApi, type ClipWish } from './api';
import { ClipDesk } from './clip-desk';
import { Desk, type Outcome } from './desk';
import { Extras } from './extras';
import type { I18n } from './i18n';
import { Keyboard } from './keyboard';
import type { EditOp } from './model/history';
import { choose, chosen, nothing, type Selection } from './model/selection';
import { Playback } from './playback';
import type { Actions, ExportOf, Phase, Shown, View } from './ui/context';
import { Page } from './ui/page';
import type { Highlight, Session, ShowFacts } from './wire';
import { editName, errorText } from './words';

const growMs = 10_000;

/** The page: who is at work, what the server knows, and what is being done, brought together. */
export class Editor implements Actions {
  private readonly api: EditorApi;
  private readonly desk: Desk;
  private readonly clips: ClipDesk;
  private readonly extras: Extras;
  private readonly page: Page;
  private readonly playback: Playback;
  private phase: Phase = 'loading';
  private detail = '';
  private session: Session | null = null;
  private store = '';
  private show: ShowFacts | null = null;
  private selection: Selection = nothing;
  private shown: Shown = 'score';
  private asking: { readonly promise: Promise<boolean>; readonly answer: (signedIn: boolean) => void } | null = null;
  private deciding = 0;

  constructor(
    show: string,
    private readonly i18n: I18n,
  ) {
    this.api = new EditorApi(show, () => i18n.lang);
    const changed = (): void => this.update();
    const again = (): Promise<boolean> => this.askSignIn();
    this.desk = new Desk(this.api, changed, again);
    this.clips = new ClipDesk(this.api, changed, again);
    this.extras = new Extras(this.api, changed);
    this.page = new Page(i18n, this, (frames) => this.step(frames));
    this.playback = new Playback(this.page.stage.video, { tick: () => this.tick(), change: changed });
    i18n.onChange(changed);
    new Keyboard(this, this.page, this.playback, () => this.view());
    window.addEventListener('beforeunload', (e) => {
      if (this.busy) e.preventDefault(); // the browser asks
    });
    setInterval(() => this.grow(), growMs);
  }

  async start(): Promise<void> {
    this.update();
    try {
      this.session = await this.api.session();
    } catch (why) {
      this.failed(why);
      return;
    }
    await this.open();
  }

  // What the person does.

  async signIn(name: string, password: string): Promise<string> {
    try {
      this.session = await this.api.signIn(name, password);
    } catch (why) {
      const e = why instanceof ApiError ? why : new ApiError(0);
      return e.status === 401 ? this.i18n.t('signIn.wrong') : e.status === 429 ? this.i18n.t('signIn.many') : errorText(e, this.i18n);
    }
    if (this.asking) {
      this.asking.answer(true);
      this.asking = null;
      this.page.again.close();
      this.update();
    } else await this.open();
    return '';
  }

  dropSignIn(): void {
    this.asking?.answer(false);
    this.asking = null;
  }

  signOut(): void {
    void this.api.signOut().then(
      () => location.reload(),
      (why: unknown) => this.tell(why),
    );
  }

  reload(): void {
    this.phase = 'loading';
    void this.start();
  }

  seek(ms: number, show = false): void {
    this.playback.seek(Math.min(Math.max(0, ms), this.durationMs));
    if (show) this.page.axis.reveal(this.playback.atMs);
    this.update();
  }

  toggle(): void {
    this.playback.toggle();
  }

  playStretch(s: Stretch): void {
    this.page.axis.frame(s.fromMs, s.toMs);
    this.playback.playStretch(s);
  }

  toggleMute(): void {
    this.playback.toggleMute();
  }

  toggleSkip(): void {
    this.playback.skipsCuts = !this.playback.skipsCuts;
    this.update();
  }

  select(s: Selection): void {
    this.selection = s;
    this.update();
  }

  take(s: Stretch): void {
    this.selection = choose(s);
    this.playback.seek(s.fromMs);
    this.page.axis.frame(s.fromMs, s.toMs);
    this.update();
  }

  choose(shown: Shown): void {
    this.shown = shown;
    this.update();
  }

  async edit(op: EditOp | 'undo' | 'redo', atField = false): Promise<Outcome> {
    const name = editName(typeof op === 'string' ? (this.desk.next[op] ?? op) : op, this.desk.chapters, this.i18n);
    const outcome = await this.desk.edit(op);
    const { i18n } = this;
    if (outcome.done) {
      if (typeof op === 'string') this.say(i18n.t(`done.${op}`, { name }));
      return outcome;
    }
    if (outcome.overtaken) {
      const again = { label: i18n.t('overtaken.again'), act: () => void this.edit(op) };
      this.page.toasts.say({ text: i18n.t('overtaken', { name, by: outcome.by || i18n.t('somebody') }), tone: 'bad', ...(typeof op === 'string' ? {} : { action: again }) });
    } else if (!atField) {
      const again = { label: i18n.t('again'), act: () => void this.edit(op) };
      this.page.toasts.say({ text: i18n.t('failed.edit', { name, why: errorText(outcome.error, i18n) }), tone: 'bad', ...(outcome.error.unknown || outcome.error.status === 401 ? { action: again } : {}) });
    }
    return outcome;
  }

  cutSelection(): void {
    const s = chosen(this.selection);
    if (s) void this.edit({ kind: 'cut', from_ms: Math.round(s.fromMs), to_ms: Math.round(s.toMs) });
  }

  restore(s: Stretch): void {
    void this.edit({ kind: 'uncut', from_ms: Math.round(s.fromMs), to_ms: Math.round(s.toMs) });
  }

  splitHere(): void {
    const at = Math.round(this.playback.atMs);
    const here = this.desk.chapters.filter((c) => c.fromMs < at && at < c.toMs);
    const chapter = here.filter((c) => !c.hidden).pop() ?? here.pop();
    if (chapter) void this.edit({ kind: 'split_chapter', chapter: chapter.id, at_ms: at });
  }

  async decide(h: Highlight, change: Readonly<Record<string, unknown>>): Promise<boolean> {
    this.deciding++;
    try {
      this.extras.take(await this.api.decide(h.id, change));
      return true;
    } catch (why) {
      if (why instanceof ApiError && why.status === 401 && (await this.askSignIn())) return await this.decide(h, change);
      this.tell(why, () => void this.decide(h, change));
      return false;
    } finally {
      this.deciding--;
      this.update();
    }
  }

  openExport(of: ExportOf): void {
    this.page.export.open(of);
  }

  async makeClip(wish: ClipWish, each: boolean): Promise<void> {
    await this.clips.make(wish, each);
    this.page.tabs.open('clips');
    this.say(this.i18n.t(each ? 'export.askedMany' : 'export.asked'));
  }

  clipAct(id: string, act: 'cancel' | 'retry' | 'delete'): void {
    (act === 'delete' ? this.clips.remove(id) : this.clips.act(id, act)).catch((why: unknown) => this.tell(why, () => this.clipAct(id, act)));
  }

  copy(url: string): void {
    const shown = (): void => this.page.toasts.say({ text: url }); // to copy by hand
    // Pages that are not secure have no clipboard.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (!clipboard) return shown();
    clipboard.writeText(url).then(() => this.say(this.i18n.t('clip.copied')), shown);
  }

  say(text: string): void {
    this.page.toasts.say({ text, tone: 'good' });
  }

  // What happens.

  private async open(): Promise<void> {
    try {
      this.show = await this.api.facts();
      [this.store] = await Promise.all([this.api.storeOf(this.show.roomId), this.desk.load()]);
      this.phase = 'ready';
    } catch (why) {
      this.failed(why);
      return;
    }
    if (this.desk.replay) this.extras.start(this.desk.replay);
    this.clips.start();
    this.update();
  }

  private failed(why: unknown): void {
    if (!(why instanceof ApiError)) throw why;
    this.detail = why.status === 0 ? '' : errorText(why, this.i18n);
    this.phase = why.status === 401 ? 'signin' : why.status === 403 ? 'forbidden' : why.status === 404 ? 'unknown' : 'failed';
    this.update();
  }

  /** Asks to sign in again over the page; what was under way waits, whoever asks. */
  private askSignIn(): Promise<boolean> {
    if (!this.asking) {
      let answer: (signedIn: boolean) => void = () => undefined;
      const promise = new Promise<boolean>((done) => (answer = done));
      this.asking = { promise, answer };
      this.page.askAgain();
    }
    return this.asking.promise;
  }

  private tell(why: unknown, again?: () => void): void {
    const e = why instanceof ApiError ? why : new ApiError(0);
    this.page.toasts.say({ text: errorText(e, this.i18n), tone: 'bad', ...(again && e.unknown ? { action: { label: this.i18n.t('again'), act: again } } : {}) });
  }

  private grow(): void {
    if (this.phase !== 'ready' || this.show?.state === 'ended' || document.hidden) return;
    void (async () => {
      this.show = await this.api.facts();
      await this.desk.grow();
      if (this.desk.replay) this.extras.start(this.desk.replay);
    })().catch(() => undefined); // the next round asks again
  }

  private step(frames: number): void {
    this.playback.pause();
    this.seek(this.playback.atMs + frames * this.playback.frameMs, true);
  }

  private tick(): void {
    if (this.phase !== 'ready') return;
    const view = this.view();
    if (!view.paused) this.page.axis.reveal(view.atMs);
    this.page.tick(view);
  }

  private update(): void {
    const { replay } = this.desk;
    if (replay && this.phase === 'ready') {
      this.playback.cuts = replay.cuts;
      if (replay.durationMs > 0) this.playback.load(replay.wholeUrl, this.show?.state !== 'ended');
    }
    const { playback } = this;
    const empty = replay !== null && replay.durationMs === 0;
    const trouble = playback.unsupported ? this.i18n.t('play.unsupported') : empty ? this.i18n.t('play.nothing') : playback.trouble ? this.i18n.t('play.trouble') : '';
    this.page.render(this.view(), { waits: playback.waits, trouble });
  }

  private get busy(): boolean {
    return this.desk.isBusy() || this.clips.pending > 0 || this.deciding > 0;
  }

  private get durationMs(): number {
    return this.desk.replay?.durationMs ?? 0;
  }

  /** Why changes are off: the role lacks the permission in the show's store. A store that is gone leaves it to the server. */
  private get off(): string | null {
    const place = this.session?.stores.find((s) => s.id === this.store);
    if (!place || place.permissions.includes('replay:write')) return null;
    return this.i18n.t('off.permission', { store: place.name });
  }

  private view(): View {
    const { desk, playback, extras } = this;
    const atMs = Math.min(playback.atMs, Math.max(this.durationMs, 0));
    return {
      phase: this.phase, detail: this.detail, session: this.session, off: this.off, show: this.show, replay: desk.replay, chapters: desk.chapters, next: desk.next,
      busy: this.busy, waiting: desk.waiting, highlights: extras.highlights, clips: this.clips.known || this.clips.clips.length > 0 ? this.clips.clips : null, signals: extras.signals, shown: this.shown,
      board: extras.board, wave: extras.wave, pins: visiblePins(extras.pins.pins(), atMs).pins, selection: this.selection, durationMs: this.durationMs, atMs,
      paused: playback.paused, muted: playback.muted, skipsCuts: playback.skipsCuts,
    };
  }
}
