/**
 * Addresses of what sends an edition, below the desk's path.
 */
import { draftPath } from '../../draft/draft-address.ts';

export type SendingAct = 'hold' | 'release' | 'approve' | 'test' | 'send' | 'cancel-send';

export function sendingPath(target: Parameters<typeof draftPath>[0], act: SendingAct): string {
  return `${draftPath(target)}/${act}`;
}
