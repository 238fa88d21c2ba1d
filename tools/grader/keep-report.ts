// Where a grade is kept: the last report of each kata as JSON and HTML, with the whole text of each failure.
import path from 'node:path';
import { keepFile } from '../course/keep-file.ts';
import type { Report } from './report.ts';

export interface KeptReport {
  readonly json: string;
  readonly html: string;
  /** Whole texts of failing tests; null when none failed. */
  readonly failures: string | null;
}

/** Paths of a kept report, from the course's root. */
export function reportPaths(name: string): { json: string; html: string; failures: string } {
  const folder = path.posix.join('.kata', 'reports', name);
  return { json: `${folder}/report.json`, html: `${folder}/report.html`, failures: `${folder}/failures.txt` };
}

/** Keeps a report for later. Rejects with a `CannotKeepFile` that says why and what to do. */
export async function keepReport(root: string, report: Report, folder = report.kata.slug): Promise<KeptReport> {
  const paths = reportPaths(folder);
  const failures = failureTexts(report);
  const { renderHtml } = await import('./render/html.ts');
  await Promise.all([
    keepFile(path.join(root, paths.json), `${JSON.stringify(report, null, 2)}\n`),
    keepFile(path.join(root, paths.html), renderHtml(report)),
    failures === '' ? undefined : keepFile(path.join(root, paths.failures), failures),
  ]);
  return { ...paths, failures: failures === '' ? null : paths.failures };
}

function failureTexts({ tests }: Report): string {
  return tests
    .filter(({ message }) => message !== null)
    .map(({ name, status, message }) => `${status}: ${name}\n${message}\n`)
    .join('\n');
}
