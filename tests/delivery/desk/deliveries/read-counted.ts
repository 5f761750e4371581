import { expect } from 'vitest';
import type { AccountRole } from '../../../../src/accounts/permissions.ts';
import type { TestDesk } from '../../../app/desk/test-desk.ts';

/** Opens a page again until all its figures have been counted. @returns its text */
export async function readCounted(desk: TestDesk, role: AccountRole, path: string): Promise<string> {
  let page = '';
  const read = async (): Promise<string> => {
    page = await desk.read(role, path);
    return page;
  };
  await expect.poll(read, { timeout: 10_000, interval: 20 }).not.toContain('being counted');
  return page;
}
