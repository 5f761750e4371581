/** A page of a browser that counts what a person does in it: clicks, keys and page loads, and how long acts take. */
import type { Page } from 'playwright-core';

export interface Effort {
  clicks: number;
  /** Keys besides the text that is typed. */
  keys: number;
  /** Characters of that text. */
  characters: number;
  loads: number;
}

export class CountedPage {
  readonly effort: Effort = { clicks: 0, keys: 0, characters: 0, loads: 0 };
  /** Milliseconds of each act, from the click or key until the server has confirmed it on the page. */
  readonly acts: number[] = [];
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    page.on('domcontentloaded', () => {
      this.effort.loads++;
    });
  }

  async click(selector: string): Promise<void> {
    this.effort.clicks++;
    await this.page.locator(selector).first().click();
  }

  /** @param key as Playwright names it, such as `Control+Enter`; counts as one */
  async press(key: string): Promise<void> {
    this.effort.keys++;
    await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    this.effort.characters += text.length;
    await this.page.keyboard.insertText(text);
  }

  /** Drags a row by its handle above another one, which counts as a click. @param row its selector */
  async drag(row: string, above: string): Promise<void> {
    this.effort.clicks++;
    const { mouse } = this.page;
    await this.page.locator(`${row} .handle`).hover();
    await mouse.down();
    const box = await this.page.locator(above).boundingBox();
    if (box === null) throw new Error(`${above} is not seen`);
    await mouse.move(box.x + 40, box.y + box.height / 2, { steps: 4 });
    await mouse.move(box.x + 40, box.y + 4, { steps: 4 });
    await this.page.waitForTimeout(50);
    await mouse.up();
  }

  /** Does something, and waits until the page says that it is done. @param says what the notice has then */
  async act(says: string | RegExp, work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await work();
    await this.page.locator('#notice', { hasText: says }).waitFor();
    this.acts.push(performance.now() - start);
  }
}
