import { el, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import { sending } from '../phase';
import { Sheet } from './sheet';
import type { Actions, View } from './view';

/** Asks before a show is ended, which cannot be taken back. */
export class Farewell {
  readonly sheet: Sheet;
  private readonly text = el('p', { class: 'farewell-text' });
  private readonly viewers = el('p', { class: 'farewell-viewers' });
  private readonly yes = el('button', { class: 'primary danger wide', type: 'button', 'data-testid': 'end-yes' });
  private readonly no = el('button', { class: 'secondary wide', type: 'button', 'data-testid': 'end-no' });

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    rest: readonly HTMLElement[],
  ) {
    this.sheet = new Sheet('end', rest);
    this.sheet.body.append(this.text, this.viewers, this.yes, this.no);
    this.yes.addEventListener('click', () => {
      this.sheet.close();
      actions.end();
    });
    this.no.addEventListener('click', () => this.sheet.close());
  }

  render(view: View): void {
    const { i18n } = this;
    this.sheet.render(i18n.t('end.title'), i18n.t('close'));
    if (!sending(view.phase)) this.sheet.close();
    setText(this.text, i18n.t('end.text'));
    setText(this.viewers, i18n.t('end.viewers', { count: view.viewers ?? 0 }));
    show(this.viewers, (view.viewers ?? 0) > 0);
    setText(this.yes, i18n.t('end.yes'));
    setText(this.no, i18n.t('end.no'));
  }
}
