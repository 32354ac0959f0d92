/** The languages of the pages. English is the reference of each catalogue. */
export type Language = 'en' | 'zh-CN';

/** Every text of a page, in every language. {name} is a parameter. */
export type Catalogues<Key extends string> = Readonly<Record<Language, Readonly<Record<Key, string>>>>;

export type Params = Readonly<Record<string, string | number>>;

const rememberedAs = 'vitrine.lang';

/** The language to begin with: ?lang=, what the viewer chose before, then the browser's. */
export function pickLanguage(query: string | null, remembered: string | null, browser: readonly string[]): Language {
  for (const tag of [query, remembered, ...browser]) {
    const lower = tag?.toLowerCase() ?? '';
    if (lower.startsWith('zh')) return 'zh-CN';
    if (lower.startsWith('en')) return 'en';
  }
  return 'en';
}

export function fill(message: string, params: Params): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** The language of a page with these texts. Whoever shows text listens and shows it again when the language changes. */
export class I18n<Key extends string> {
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly catalogues: Catalogues<Key>,
    private current: Language,
  ) {}

  get lang(): Language {
    return this.current;
  }

  t(key: Key, params: Params = {}): string {
    return fill(this.catalogues[this.current][key], params);
  }

  toggle(): void {
    this.current = this.current === 'en' ? 'zh-CN' : 'en';
    this.listeners.forEach((l) => l());
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}

/** The language of this page, kept in step with <html lang> and remembered for the next visit. */
export function pageLanguage<Key extends string>(catalogues: Catalogues<Key>): I18n<Key> {
  const query = new URLSearchParams(location.search).get('lang');
  const i18n = new I18n(catalogues, pickLanguage(query, recall(), navigator.languages));
  const apply = (): void => void (document.documentElement.lang = i18n.lang);
  apply();
  i18n.onChange(() => {
    apply();
    remember(i18n.lang);
  });
  return i18n;
}

// Storage is forbidden in some embedded browsers; the choice then lasts as long as the page.
function recall(): string | null {
  try {
    return localStorage.getItem(rememberedAs);
  } catch {
    return null;
  }
}

function remember(lang: Language): void {
  try {
    localStorage.setItem(rememberedAs, lang);
  } catch {
    // see above
  }
}
