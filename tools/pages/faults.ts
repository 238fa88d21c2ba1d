// What is wrong with an open page, as sentences: each function looks for one kind of fault.
import type { Page } from 'playwright-core';

// What is given to `evaluate` runs in the page and sees nothing of this module.

/** Unfolds all that is folded, so that it is looked at too. */
export const unfold = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const each of document.querySelectorAll('details')) each.open = true;
  });

/** What makes the page scroll sideways. */
export const sidewaysFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const overflows = (each: Element) =>
      each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'visible';
    const wide = [...document.body.querySelectorAll('*')]
      .filter((each) => overflows(each) && ![...each.children].some(overflows))
      .map((each) => `<${each.localName} class="${each.getAttribute('class') ?? ''}">`);
    return [`is ${scrollWidth} px wide where there are ${clientWidth}: ${[...new Set(wide)].join(' ')}`];
  });

/** Text with less than 4.5:1 against what is painted under it: WCAG 2.2, 1.4.3. */
export const contrastFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    type Colour = [red: number, green: number, blue: number, alpha: number];
    const parse = (colour: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? [];
      if (!/^rgba?\(/.test(colour)) throw new Error(`Failed to read the colour ${colour}.`);
      return [red, green, blue, alpha];
    };
    const over = (top: Colour, under: Colour): Colour => {
      const mix = (a: number, b: number) => a * top[3] + b * (1 - top[3]);
      return [mix(top[0], under[0]), mix(top[1], under[1]), mix(top[2], under[2]), 1];
    };
    const luminance = ([red, green, blue]: Colour) => {
      const linear = (value: number) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const contrast = (a: Colour, b: Colour) => {
      const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (light + 0.05) / (dark + 0.05);
    };

    const probe = document.body.appendChild(document.createElement('div'));
    probe.style.background = 'Canvas';
    const canvas = parse(getComputedStyle(probe).backgroundColor);
    probe.remove();

    // What is painted under the middle of a text: boxes around it and, in a drawing, rectangles before it.
    const backgroundOf = (element: Element, text: Node): Colour => {
      const range = document.createRange();
      range.selectNodeContents(text);
      const { left, top, width, height } = range.getClientRects()[0] ?? element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const isUnder = (each: Element) => {
        const box = each.getBoundingClientRect();
        return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
      };
      const drawing = element.closest('svg');
      const shapes = [...(drawing?.querySelectorAll('rect') ?? [])]
        .filter((rect) => (rect.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0)
        .filter((rect) => isUnder(rect) && getComputedStyle(rect).fill !== 'none')
        .map((rect) => parse(getComputedStyle(rect).fill));
      const boxes: Colour[] = [];
      for (let each = drawing ?? element; ; each = each.parentElement ?? each) {
        // The ground of the page lies under what leaves it, too.
        if (isUnder(each) || each.matches('html, body')) boxes.unshift(parse(getComputedStyle(each).backgroundColor));
        if (each.parentElement === null) break;
      }
      return [...boxes, ...shapes].reduce((under, top) => over(top, under), canvas);
    };

    const faults = new Set<string>();
    let sampled = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const element = node.parentElement;
      const words = node.textContent?.trim() ?? '';
      if (element === null || words === '' || element.matches('script, style, title, desc')) continue;
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      sampled += 1;
      const style = getComputedStyle(element);
      const background = backgroundOf(element, node);
      const ink = over(parse(element.closest('svg') === null ? style.color : style.fill), background);
      const ratio = contrast(ink, background);
      if (ratio >= 4.5) continue;
      const where = `<${element.localName} class="${element.getAttribute('class') ?? ''}">`;
      faults.add(`${ratio.toFixed(2)}:1 in ${where} “${words.slice(0, 30)}”`);
    }
    return sampled === 0 ? ['shows no text at all'] : [...faults];
  });

/** Pictures, buttons, tables and stops of the Tab key that assistive technology finds no name for. */
export async function nameFaults(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const nameless = nodes
    .filter(({ ignored, role }) => !ignored && /^(?:image|img|button|region|group|table)$/.test(String(role?.value)))
    .filter(({ name, role, properties = [] }) => {
      const isStop = properties.some((each) => each.name === 'focusable' && each.value.value === true);
      return String(name?.value ?? '').trim() === '' && (role?.value !== 'group' || isStop);
    })
    .map(({ role }) => `a nameless ${role?.value}`);
  const drawings = await page.evaluate(() =>
    [...document.querySelectorAll('svg:not([role="img"])')].map(() => 'a drawing that is no image'),
  );
  return [...nameless, ...drawings];
}

/** Headings that leave out a level, and more or less than one first. */
export const headingFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')];
    const levels = headings.map(({ localName }) => Number(localName.slice(1)));
    const first = levels.filter((level) => level === 1).length;
    return [
      ...(first === 1 && levels[0] === 1 ? [] : [`${first} first headings, and begins with level ${levels[0]}`]),
      ...headings.filter(({ textContent }) => textContent.trim() === '').map(() => 'an empty heading'),
      ...levels.flatMap((level, n) => {
        const before = levels[n - 1] ?? 0;
        return level > before + 1 ? [`level ${level} after level ${before}: “${headings[n]?.textContent}”`] : [];
      }),
    ];
  });

/** Columns and rows of tables without a header. */
export const tableFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('table')].flatMap((table) => {
      const isHeader = (cell: Element | undefined, scope: string) =>
        cell?.localName === 'th' &&
        cell.getAttribute('scope')?.startsWith(scope) &&
        (cell.textContent?.trim() !== '' || (cell.ariaLabel ?? '') !== '');
      const columns = [...(table.tHead?.rows[0]?.cells ?? [])];
      const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
      return [
        ...(columns.length === 0 ? ['a table without a head'] : []),
        ...columns.flatMap((cell, n) => (isHeader(cell, 'col') ? [] : [`column ${n + 1} of a table has no header`])),
        ...rows
          .filter((row) => ![...row.cells].some((cell) => isHeader(cell, 'row')))
          .map((row) => `a row of a table has no header: ${row.textContent}`),
      ];
    }),
  );

/** Texts of drawings that run out of their drawing, over each other or over dots. */
export const drawingFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('svg')].flatMap((drawing) => {
      const frame = drawing.getBoundingClientRect();
      const texts = [...drawing.querySelectorAll('text')]
        .filter(({ textContent }) => textContent?.trim() !== '')
        .map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }));
      const dots = [...drawing.querySelectorAll('circle')].map((dot) => ({
        words: 'a dot',
        box: dot.getBoundingClientRect(),
      }));
      return texts.flatMap(({ words, box }, n) => {
        const isOut =
          box.left < frame.left - 1 ||
          box.right > frame.right + 1 ||
          box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1;
        const over = [...texts.slice(n + 1), ...dots].filter((other) => {
          const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
          const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
          // Boxes have room above and below their letters.
          return across > 1 && down > box.height / 3;
        });
        return [
          ...(isOut ? [`“${words}” runs out of its drawing`] : []),
          ...over.map((other) => `“${words}” runs over “${other.words}”`),
        ];
      });
    }),
  );

/** What the Tab key does not come to, though it can be pressed or scrolls. */
export async function keyboardFaults(page: Page): Promise<string[]> {
  const wanted = await page.evaluate(() => {
    const scrolls = (each: Element) =>
      /auto|scroll/.test(getComputedStyle(each).overflowX + getComputedStyle(each).overflowY) &&
      (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight);
    const all = [...document.body.querySelectorAll<HTMLElement>('*')].filter((each) => each.checkVisibility());
    const stops = all.filter((each) => each.matches('summary, button, a[href], input, select, [tabindex]'));
    for (const [n, stop] of stops.entries()) stop.dataset.stop = String(n);
    return {
      stops: stops.map(({ localName, textContent }) => `<${localName}> “${textContent?.trim().slice(0, 30)}”`),
      // Not every browser lets the Tab key come to what scrolls, unless it is told to.
      unreachable: all
        .filter((each) => scrolls(each) && each.tabIndex < 0)
        .map(({ localName, className }) => `<${localName} class="${className}"> scrolls, but takes no keys`),
    };
  });
  const reached = new Set<string>();
  for (const _ of wanted.stops) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate(() => {
        const active = document.activeElement;
        return active instanceof HTMLElement ? (active.dataset.stop ?? '') : '';
      }),
    );
  }
  const missed = wanted.stops.filter((_, n) => !reached.has(String(n)));
  return [...wanted.unreachable, ...missed.map((stop) => `the Tab key does not come to ${stop}`)];
}

/** What paper would cut off: it does not scroll. */
export const cutOffFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.body.querySelectorAll<HTMLElement>('*')]
      .filter((each) => each.checkVisibility() && getComputedStyle(each).overflowX !== 'visible')
      .filter((each) => each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
      .filter((each) => each.closest('svg') === null && each.clientWidth > 1)
      .map((each) => {
        const size = `${each.scrollWidth} × ${each.scrollHeight} px in ${each.clientWidth} × ${each.clientHeight}`;
        return `<${each.localName} class="${each.className}"> “${each.textContent?.trim().slice(0, 30)}” is cut off: ${size}`;
      }),
  );
