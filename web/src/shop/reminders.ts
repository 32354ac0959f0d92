import { isFields } from '../product/product';
import type { MessageKey } from '../viewer/messages';
import type { ShopClient } from './client';

/**
 * Asks the browser for the consent to be told of a show, and hands it to the server. It answers with what to say: in which
 * browser it cannot be, what the viewer refused, or that it is done.
 */
export async function remind(client: ShopClient, showId: string): Promise<MessageKey> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window)) return 'remind.cannot';
  const key = await pushKey(client);
  if (key === null) return 'remind.cannot';
  if ((await Notification.requestPermission()) !== 'granted') return 'remind.refused';
  const worker = await navigator.serviceWorker.register('/push.js');
  const subscription = (await worker.pushManager.getSubscription()) ?? (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  await client.act('POST', `/api/v1/shows/${encodeURIComponent(showId)}/reminders`, { channel: 'web_push', subscription: subscription.toJSON() });
  return 'remind.done';
}

async function pushKey(client: ShopClient): Promise<string | null> {
  const page = await client.read('/api/v1/reminder-channels');
  const channels: readonly unknown[] = isFields(page) && Array.isArray(page.items) ? page.items : [];
  for (const c of channels) if (isFields(c) && c.channel === 'web_push' && typeof c.public_key === 'string') return c.public_key;
  return null;
}
