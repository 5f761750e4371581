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

/** How long an act took, in milliseconds. */
export interface ActTimes {
  name: string;
  /** From the last click or key until the page was painted with a change. */
  seen: number;
  /** From there until the page was painted with the server's answer. */
  answered: number;
  /** Milliseconds of the whole act, with the pointer's way and the steps of the browser's driver. */
  whole: number;
}

/** Runs in the page: notes when the last input came, and when its effects were painted. */
const STOPWATCH = `
window.stopwatch = {};
for (const type of ['pointerup', 'keydown']) {
  addEventListener(type, ({ timeStamp, isTrusted }) => {
    if (isTrusted) window.stopwatch = { input: timeStamp };
  }, { capture: true });
}
new MutationObserver((changes) => {
  const watch = window.stopwatch;
  const isAnswer = Boolean(document.querySelector('#notice')?.textContent.trim());
  requestAnimationFrame(() => setTimeout(() => {
    watch.seen ??= performance.now() - watch.input;
    if (isAnswer) watch.answered ??= performance.now() - watch.input;
  }));
}).observe(document, { childList: true, subtree: true, attributeFilter: ['aria-busy', 'open'] });`;

export class CountedPage {
  readonly effort: Effort = { clicks: 0, keys: 0, characters: 0, loads: 0 };
  readonly acts: ActTimes[] = [];
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
    page.addInitScript(STOPWATCH);
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
  async act(name: string, says: string | RegExp, work: () => Promise<void>): Promise<void> {
    await this.page.evaluate('document.querySelector("#notice").replaceChildren()');
    const start = performance.now();
    await work();
    await this.page.locator('#notice', { hasText: says }).waitFor();
    const whole = performance.now() - start;
    const { seen, answered } = await this.page.evaluate<ActTimes>(`new Promise((resolve) => {
      const look = () => window.stopwatch.answered === undefined ? requestAnimationFrame(look) : resolve(window.stopwatch);
      look();
    })`);
    this.acts.push({ name, seen, answered, whole });
  }
}
