// The pages in a real browser: Debian's Chromium, driven through playwright-core.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether there is a Chromium; where there is none, `WHY_SKIPPED` stands behind a test's title. */
export const HAS_CHROMIUM = existsSync(EXECUTABLE);
export const WHY_SKIPPED = HAS_CHROMIUM ? '' : ` (skipped: ${EXECUTABLE} is not installed)`;

export interface OpenPage {
  readonly page: Page;
  /** Errors, dialogs and requests for anything but the file, each as a sentence. No such request leaves the browser. */
  readonly noticed: readonly string[];
}

export interface Chromium {
  /** Writes the page to a file and opens it from there, 1280 px wide and light. `prepare` comes before it loads. */
  open(html: string, prepare?: (page: Page) => Promise<unknown>): Promise<OpenPage>;
  /** Closes what was opened, and leaves the browser running, with one empty tab for the next page. */
  closePages(): Promise<void>;
  /** Ends the browser and removes all that it wrote. */
  close(): Promise<void>;
}

/** A browser with an empty profile of its own. */
export async function openChromium(): Promise<Chromium> {
  const folder = mkdtempSync(path.join(tmpdir(), 'kata-pages-'));
  const profile = path.join(folder, 'profile');
  mkdirSync(profile);
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    args: ARGUMENTS,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  // A new tab costs more than all that is looked at in it, so the first one serves again and again.
  const [first = await context.newPage()] = context.pages();
  let isFirstFree = true;
  let count = 0;
  return {
    async open(html, prepare) {
      count += 1;
      const file = path.join(folder, `${count}.html`);
      writeFileSync(file, html);
      // What was prepared in a tab stays in it.
      const page = isFirstFree && prepare === undefined ? first : await context.newPage();
      if (page === first) isFirstFree = false;
      return openFile(page, pathToFileURL(file).href, prepare);
    },
    async closePages() {
      for (const page of context.pages()) if (page !== first) await page.close();
      await first.goto('about:blank');
      await first.unrouteAll();
      for (const heard of ['console', 'pageerror', 'dialog']) first.removeAllListeners(heard);
      isFirstFree = true;
    },
    async close() {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openFile(
  page: Page,
  url: string,
  prepare: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<OpenPage> {
  const noticed: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') noticed.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => noticed.push(`page error: ${error.message}`));
  page.on('dialog', (dialog) => {
    noticed.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.route('**/*', (route) => {
    if (route.request().url() === url) return route.continue();
    noticed.push(`request: ${route.request().url()}`);
    return route.abort();
  });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ media: null, colorScheme: 'light' });
  await prepare(page);
  await page.goto(url);
  return { page, noticed };
}
