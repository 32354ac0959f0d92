// The service worker behind "Remind me": it shows what the server pushes and opens the room when it is tapped. It keeps
// nothing and answers no requests.

interface Message {
  readonly title: string;
  readonly url: string;
  readonly started: boolean;
  readonly scheduled_at?: number; // Unix time in milliseconds
}

/** The parts of the worker's scope that are used here; the page's own types know nothing of workers. */
interface Scope {
  readonly navigator: { readonly language: string };
  readonly registration: { showNotification(title: string, options: object): Promise<void> };
  readonly clients: { openWindow(url: string): Promise<unknown> };
  readonly location: { readonly href: string };
  addEventListener(type: string, listener: (e: PushEvent) => void): void;
}

interface PushEvent {
  readonly data?: { json(): unknown };
  readonly notification?: { readonly data: unknown; close(): void };
  waitUntil(work: Promise<unknown>): void;
}

const scope = self as unknown as Scope;

scope.addEventListener('push', (e) => {
  const message = e.data?.json() as Message | undefined;
  if (message) e.waitUntil(scope.registration.showNotification(message.title, { body: words(message), tag: message.url, data: message.url, icon: undefined }));
});

scope.addEventListener('notificationclick', (e) => {
  e.notification?.close();
  const url = e.notification?.data;
  const to = new URL(typeof url === 'string' ? url : '/', scope.location.href);
  if (to.origin === new URL(scope.location.href).origin) e.waitUntil(scope.clients.openWindow(to.href));
});

function words(m: Message): string {
  const zh = scope.navigator.language.toLowerCase().startsWith('zh');
  if (m.started) return zh ? '直播开始了，点击观看' : 'The show is live: tap to watch';
  const at = m.scheduled_at === undefined ? '' : new Intl.DateTimeFormat(scope.navigator.language, { timeStyle: 'short' }).format(m.scheduled_at);
  return zh ? `直播将于 ${at} 开始` : `The show begins at ${at}`;
}
