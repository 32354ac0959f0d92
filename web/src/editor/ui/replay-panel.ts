import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import { lengthText } from '../model/timecode';
import { dateText, errorText } from '../words';
import type { Replay } from '../wire';
import type { Actions, View } from './context';
import { Button } from './icons';

/** Who may see the replay and for how long, its cover, and what was cut out of it. */
export class ReplayPanel {
  private readonly stands = el('p', { class: 'stands', 'data-testid': 'stands' });
  private readonly publish = new Button(null, () => void this.actions.edit({ kind: this.replay?.published === true ? 'unpublish' : 'publish' }), 'secondary', 'publish');
  private readonly page = el('a', { class: 'secondary', target: '_blank', rel: 'noopener' });
  private readonly untilTitle = el('h3', { class: 'group-title' });
  private readonly until = el('input', { class: 'field small', type: 'datetime-local', id: 'expiry', 'data-testid': 'expiry' });
  private readonly untilLabel = el('label', { class: 'sr-only', for: 'expiry' });
  private readonly untilSet = new Button(null, () => void this.expire(), 'secondary', 'set-expiry');
  private readonly never = new Button(null, () => void this.send(undefined), 'secondary', 'never');
  private readonly untilProblem = el('p', { class: 'field-problem', role: 'alert', id: 'expiry-problem', hidden: true });
  private readonly coverTitle = el('h3', { class: 'group-title' });
  private readonly cover = el('img', { class: 'cover', alt: '', 'data-testid': 'cover' });
  private readonly coverFacts = el('p', { class: 'hint' });
  private readonly coverHere = new Button('picture', () => void this.actions.edit({ kind: 'cover', at_ms: Math.round(this.atMs) }), 'secondary words-too', 'set-cover');
  private readonly coverAuto = new Button(null, () => void this.actions.edit({ kind: 'cover' }), 'secondary');
  private readonly cutsTitle = el('h3', { class: 'group-title' });
  private readonly cuts = el('ol', { class: 'rows', 'data-testid': 'cuts' });
  readonly root: HTMLElement;
  private replay: Replay | null = null;
  private atMs = 0;
  private written = false; // the expiry's field, and not sent yet
  private listed = '';

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.until.addEventListener('input', () => {
      this.written = true;
      this.say('');
    });
    this.until.addEventListener('keydown', (e) => e.key === 'Enter' && void this.expire());
    this.cover.addEventListener('error', () => show(this.cover, false));
    this.cover.addEventListener('load', () => show(this.cover, true));
    const acts = (...of: HTMLElement[]): HTMLElement => el('div', { class: 'panel-acts' }, ...of);
    this.root = el('div', { class: 'panel-list groups' },
      el('section', {}, this.stands, acts(this.publish.root, this.page)),
      el('section', {}, this.untilTitle, this.untilLabel, acts(this.until, this.untilSet.root, this.never.root), this.untilProblem),
      el('section', {}, this.coverTitle, el('div', { class: 'cover-line' }, this.cover, el('div', {}, this.coverFacts, acts(this.coverHere.root, this.coverAuto.root)))),
      el('section', {}, this.cutsTitle, this.cuts));
  }

  render(view: View): void {
    const { i18n } = this;
    const { replay, off, show: facts } = view;
    this.replay = replay;
    this.atMs = view.atMs;
    if (!replay) return;
    const live = facts !== null && facts.state !== 'ended';
    setText(this.stands, live ? i18n.t('stands.live') : replay.visible ? i18n.t('stands.public') : replay.published ? i18n.t('stands.expired') : i18n.t('stands.private'));
    this.publish.say(i18n.t(replay.published ? 'unpublish' : 'publish'), undefined, off);
    setText(this.page, i18n.t('page.open'));
    setAttr(this.page, 'href', facts ? `/r/${encodeURIComponent(facts.roomId)}` : null);
    this.renderExpiry(replay, off);
    this.renderCover(replay, view);
    this.renderCuts(view, replay);
  }

  private renderExpiry(replay: Replay, off: string | null): void {
    const { i18n } = this;
    setText(this.untilTitle, replay.expiresMs === null ? i18n.t('expiry.never') : i18n.t('expiry.until', { time: dateText(replay.expiresMs, i18n.lang) }));
    setText(this.untilLabel, i18n.t('expiry.label'));
    if (!this.written && document.activeElement !== this.until) this.until.value = replay.expiresMs === null ? '' : localText(replay.expiresMs);
    this.until.disabled = off !== null;
    this.untilSet.say(i18n.t('expiry.set'), i18n.t('expiry.setTitle'), off);
    this.never.say(i18n.t('expiry.clear'), i18n.t('expiry.clear'), off ?? (replay.expiresMs === null ? '' : null));
  }

  private renderCover(replay: Replay, view: View): void {
    const { i18n } = this;
    setText(this.coverTitle, i18n.t('cover.title'));
    const src = `${replay.posterUrl}?cover=${replay.coverMs ?? 'auto'}-${replay.cuts.length}`;
    if (this.cover.getAttribute('src') !== src) this.cover.src = src;
    setText(this.coverFacts, replay.coverMs === null ? i18n.t('cover.auto') : i18n.t('cover.at', { time: position(replay.coverMs) }));
    this.coverHere.say(i18n.t('cover.here'), i18n.t('cover.hereTitle'), view.off ?? (replay.coverMs === Math.round(view.atMs) ? '' : null));
    this.coverAuto.say(i18n.t('cover.reset'), i18n.t('cover.reset'), view.off ?? (replay.coverMs === null ? '' : null));
  }

  private renderCuts(view: View, replay: Replay): void {
    const { i18n } = this;
    const gone = replay.cuts.reduce((sum, c) => sum + c.toMs - c.fromMs, 0);
    setText(this.cutsTitle, replay.cuts.length === 0 ? i18n.t('cuts.none') : i18n.t('cuts.title', { count: replay.cuts.length, time: lengthText(gone) }));
    const key = JSON.stringify([i18n.lang, view.off, replay.cuts]);
    if (key === this.listed) return;
    this.listed = key;
    this.cuts.replaceChildren(...replay.cuts.map((c) => {
      const go = el('button', { class: 'row-times', type: 'button' }, `${position(c.fromMs)} – ${position(c.toMs)} · ${lengthText(c.toMs - c.fromMs)}`);
      go.addEventListener('click', () => this.actions.take(c));
      const back = new Button('restore', () => this.actions.restore(c), 'tool words-too');
      back.say(i18n.t('restore'), i18n.t('restore'), view.off);
      return el('li', { class: 'row' }, el('div', { class: 'row-words' }, go), el('div', { class: 'row-tools' }, back.root));
    }));
  }

  private async expire(): Promise<void> {
    const at = Date.parse(this.until.value);
    const wrong = !Number.isFinite(at) ? 'expiry.bad' : at <= Date.now() ? 'expiry.past' : null;
    if (wrong) this.say(this.i18n.t(wrong));
    else await this.send(new Date(at).toISOString());
  }

  private async send(until: string | undefined): Promise<void> {
    const outcome = await this.actions.edit(until === undefined ? { kind: 'expire' } : { kind: 'expire', expires_at: until }, true);
    if (outcome.done) this.written = false;
    this.say(outcome.done ? '' : outcome.overtaken ? this.i18n.t('overtaken.field', { by: outcome.by || this.i18n.t('somebody') }) : errorText(outcome.error, this.i18n));
  }

  private say(problem: string): void {
    setText(this.untilProblem, problem);
    show(this.untilProblem, problem !== '');
    setAttr(this.until, 'aria-invalid', problem === '' ? null : 'true');
    setAttr(this.until, 'aria-describedby', problem === '' ? null : 'expiry-problem');
  }
}

/** An instant as the field for dates wants it, on the clock of this place. */
function localText(ms: number): string {
  const d = new Date(ms);
  return new Date(ms - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
