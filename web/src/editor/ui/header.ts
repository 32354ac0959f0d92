import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import { dateText, editName } from '../words';
import type { Actions, View } from './context';
import { Button } from './icons';

/** The line at the top: which show, how it stands, undo and redo, who is at work. */
export class Header {
  private readonly title = el('h1', { class: 'head-title', 'data-testid': 'title' });
  private readonly facts = el('p', { class: 'head-facts' });
  private readonly pill = el('span', { class: 'pill', 'data-testid': 'public' });
  private readonly saving = el('span', { class: 'head-saving', role: 'status', 'data-testid': 'saving' });
  private readonly undo: Button;
  private readonly redo: Button;
  private readonly keys: Button;
  private readonly lang = el('button', { class: 'tool text', type: 'button' });
  private readonly who = el('span', { class: 'head-who' });
  private readonly out: Button;
  readonly root: HTMLElement;

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    help: () => void,
  ) {
    this.undo = new Button('undo', () => void actions.edit('undo'), 'tool', 'undo');
    this.redo = new Button('redo', () => void actions.edit('redo'), 'tool', 'redo');
    this.keys = new Button('keys', help, 'tool keys-button');
    this.out = new Button('out', () => actions.signOut(), 'tool', 'sign-out');
    this.lang.addEventListener('click', () => i18n.toggle());
    this.root = el('header', { class: 'head' }, el('div', { class: 'head-words' }, this.title, this.facts), this.pill, this.saving, el('span', { class: 'spring' }), this.undo.root, this.redo.root, this.keys.root, this.lang, this.who, this.out.root);
  }

  render(view: View): void {
    const { i18n } = this;
    const { show: facts, replay } = view;
    setText(this.title, facts?.title ?? i18n.t('page.name'));
    setText(this.facts, facts?.startedMs == null ? '' : dateText(facts.startedMs, i18n.lang));
    const state = facts && facts.state !== 'ended' ? 'live' : replay === null ? null : replay.visible ? 'public' : replay.published ? 'expired' : 'private';
    show(this.pill, state !== null);
    if (state) setText(this.pill, i18n.t(`public.${state}`));
    setAttr(this.pill, 'data-state', state);
    setText(this.saving, view.waiting ? i18n.t('saving.waiting') : view.busy ? i18n.t('saving') : '');
    setAttr(this.root, 'data-waiting', view.waiting);
    this.renderMoves(view);
    this.keys.label(i18n.t('keys.title'));
    setText(this.lang, i18n.t('lang.toggle'));
    setAttr(this.lang, 'aria-label', i18n.t('lang.toggleLabel'));
    setText(this.who, view.session?.name ?? '');
    this.out.label(i18n.t('signOut'));
    show(this.out.root, view.session !== null);
  }

  private renderMoves(view: View): void {
    const { i18n } = this;
    const { next, replay, off } = view;
    for (const [button, way, can] of [[this.undo, 'undo', replay?.canUndo], [this.redo, 'redo', replay?.canRedo]] as const) {
      const entry = can === true ? next[way] : null;
      const label = entry ? i18n.t(`${way}.of`, { name: editName(entry, view.chapters, i18n) }) : i18n.t(way);
      button.label(label, off ?? (can === true ? null : ''));
      show(button.root, replay !== null);
    }
  }
}
