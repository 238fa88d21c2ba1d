import { expect, test } from 'vitest';
import { renderHtml } from './html.ts';
import { PAGE_SCRIPT } from './html-script.ts';
import { hostileReport, incompleteReport, notGradableReport, passedReport, sampleReport } from './sample-report.ts';

const NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"';
const REPORTS = { sampleReport, hostileReport, notGradableReport, incompleteReport, passedReport };

test.each(Object.entries(REPORTS))('refers to nothing outside itself in %s', (_, report) => {
  const html = renderHtml(report).replaceAll(NAMESPACE, '');

  expect(html).not.toMatch(/https?:\/\/|\bsrc=|\bhref=|@import|url\(/);
});

test('names every criterion', () => {
  const html = renderHtml(sampleReport);

  for (const { title } of sampleReport.criteria) expect(html).toContain(`<th scope="row">${title}`);
});

test('lets no text of an attempt become markup', () => {
  const html = renderHtml(hostileReport).replace(`<script>${PAGE_SCRIPT}</script>`, '');

  expect(html).not.toContain('<script');
  expect(html).not.toContain('\u001b');
  expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
});

test('allows no script but its own', () => {
  expect(renderHtml(sampleReport)).toMatch(
    /Content-Security-Policy" content="default-src 'none';.*script-src 'sha256-/,
  );
});

test('holds the story as a drawing, and its schedule and replay command to copy', () => {
  const html = renderHtml(sampleReport);

  expect(html).toContain('class="cross lost"');
  expect(html).toContain('<code data-copy="the command">npx kata replay offline-queue k7f2</code>');
  expect(html).toMatch(/data-copy="the schedule">\{\n {2}&quot;schemaVersion&quot;: 1/);
});

test('keeps the whole text of a failure, with the first difference marked', () => {
  const html = renderHtml(sampleReport);

  expect(html).toContain('<mark class="differs">-   &quot;7c1e&quot;,</mark>');
  expect(html).toContain('89| });');
  expect(html.match(/<details open>/g)).toHaveLength(1);
});

test('shows no score of an attempt that is not gradable', () => {
  const html = renderHtml(notGradableReport);

  expect(html).toContain('attempt.ts does not compile');
  expect(html).not.toContain('of 100');
  expect(html).not.toContain('<table');
});
