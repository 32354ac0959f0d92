import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import type { Actions } from './context';

/** The form with which staff sign in; also over the page when a session has ended in the middle of work. */
export class SignIn {
  private readonly title = el('h1', { class: 'panel-title' });
  private readonly text = el('p', { class: 'panel-text' });
  private readonly name = el('input', { class: 'field', id: 'login', name: 'username', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', 'data-testid': 'login', maxlength: '254' });
  private readonly password = el('input', { class: 'field', id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', 'data-testid': 'password', maxlength: '512' });
  private readonly nameLabel = el('label', { class: 'label', for: 'login' });
  private readonly passwordLabel = el('label', { class: 'label', for: 'password' });
  private readonly problem = el('p', { class: 'field-problem', role: 'alert', id: 'sign-in-problem', 'data-testid': 'sign-in-problem' });
  private readonly enter = el('button', { class: 'primary wide', type: 'submit', 'data-testid': 'sign-in' });
  private readonly form = el('form', { class: 'sign-in-form', novalidate: true }, this.nameLabel, this.name, this.passwordLabel, this.password, this.problem, this.enter);
  readonly root = el('section', { class: 'sign-in', 'aria-live': 'polite' }, this.title, this.text, this.form);
  private busy = false;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.form.addEventListener('submit', (e) => {
      e.preventDefault();
      void this.submit();
    });
    for (const f of [this.name, this.password]) f.addEventListener('input', () => this.say(''));
  }

  /** Puts the cursor where the person writes next. */
  focus(): void {
    (this.name.value === '' ? this.name : this.password).focus();
  }

  render(again: boolean): void {
    const { i18n } = this;
    setText(this.title, i18n.t(again ? 'signIn.again' : 'signIn.title'));
    setText(this.text, i18n.t(again ? 'signIn.againText' : 'signIn.text'));
    setText(this.nameLabel, i18n.t('signIn.name'));
    setText(this.passwordLabel, i18n.t('signIn.password'));
    setText(this.enter, i18n.t(this.busy ? 'signIn.checking' : 'signIn.enter'));
    this.enter.disabled = this.busy;
  }

  private async submit(): Promise<void> {
    if (this.busy) return;
    const empty = this.name.value.trim() === '' ? this.name : this.password.value === '' ? this.password : null;
    if (empty) {
      this.missing(empty, empty === this.name ? 'signIn.needName' : 'signIn.needPassword');
      return;
    }
    this.busy = true;
    setText(this.enter, this.i18n.t('signIn.checking'));
    this.enter.disabled = true;
    const problem = await this.actions.signIn(this.name.value.trim(), this.password.value);
    this.busy = false;
    this.enter.disabled = false;
    setText(this.enter, this.i18n.t('signIn.enter'));
    this.say(problem);
    if (problem !== '') this.password.select();
    else this.password.value = '';
  }

  private missing(field: HTMLInputElement, key: 'signIn.needName' | 'signIn.needPassword'): void {
    this.say(this.i18n.t(key), field);
    field.focus();
  }

  private say(problem: string, field: HTMLInputElement | null = null): void {
    setText(this.problem, problem);
    show(this.problem, problem !== '');
    for (const f of [this.name, this.password]) {
      const wrong = problem !== '' && (field === null || field === f);
      setAttr(f, 'aria-invalid', wrong ? 'true' : null);
      setAttr(f, 'aria-describedby', wrong ? 'sign-in-problem' : null);
    }
  }

}
