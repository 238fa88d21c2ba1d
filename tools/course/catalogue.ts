// The course's katas, found by folder.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CacheEntries, type KataReading, readCache, stampOf, writeCache } from './catalogue-cache.ts';
import type { CourseProblem } from './course-problem.ts';
import { type KataPaths, kataFiles, kataPaths } from './kata-paths.ts';
import { gradedFiles, suiteHash } from './seal.ts';
import { SLUG } from './slug.ts';

/** What the map needs to know of a kata; read from its spec and its rubric. */
export interface KataFacts {
  readonly slug: string;
  readonly title: string;
  readonly tier: 'pattern' | 'feature';
  /** For mid and senior rules together. */
  readonly minutes: number;
  /** Levels it speaks for, in words. */
  readonly level: string;
  /** Slugs of katas to solve before. */
  readonly buildsOn: readonly string[];
  readonly patterns: readonly string[];
  readonly version: number;
  /** Points needed, of 100. */
  readonly bar: number;
  /** Over all that a grade depends on: 16 hex digits. */
  readonly suiteHash: string;
}

export interface Kata extends KataFacts {
  readonly paths: KataPaths;
}

/** A kata whose spec or rubric cannot be used, and why. */
export interface BrokenKata {
  readonly slug: string;
  readonly problems: readonly CourseProblem[];
}

export interface Catalogue {
  readonly root: string;
  /** Patterns before features; within a tier, what builds on less goes first, then by slug. */
  readonly katas: readonly Kata[];
  readonly broken: readonly BrokenKata[];
}

/** Reads the course at `root`. One broken kata never hides the others. */
export async function loadCatalogue(root: string): Promise<Catalogue> {
  const { readings, changed } = await readAll(root, readCache(root));
  if (changed) await writeCache(root, readings);
  const all = Object.entries(readings).map(([slug, { reading }]) => ({ slug, reading }));
  const katas = all.flatMap(({ slug, reading }) =>
    reading.facts ? [{ ...reading.facts, paths: kataPaths(root, slug) }] : [],
  );
  const broken = all.flatMap(({ slug, reading }) => (reading.problems ? [{ slug, problems: reading.problems }] : []));
  return { root, katas: inMapOrder(katas), broken };
}

async function readAll(root: string, cached: CacheEntries): Promise<{ readings: CacheEntries; changed: boolean }> {
  const slugs = kataFolders(root);
  const readings: Record<string, CacheEntries[string]> = {};
  let changed = Object.keys(cached).length !== slugs.length;
  for (const slug of slugs) {
    const stamp = stampOf(root, gradedFiles(slug));
    const kept = cached[slug];
    if (kept?.stamp === stamp) readings[slug] = kept;
    else {
      readings[slug] = { stamp, reading: await readKata(root, slug) };
      changed = true;
    }
  }
  return { readings, changed };
}

function kataFolders(root: string): string[] {
  return readdirSync(join(root, 'katas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

/** Loads YAML and schemas only here: a warm cache needs neither. */
async function readKata(root: string, slug: string): Promise<KataReading> {
  if (!SLUG.test(slug)) {
    const message = 'must be called by lower-case words joined by hyphens. Rename the folder.';
    return { problems: [{ file: `katas/${slug}`, field: null, message }] };
  }
  const { loadSpec } = await import('./load-spec.ts');
  const { loadRubric } = await import('./load-rubric.ts');
  const [spec, rubric] = await Promise.allSettled([loadSpec(root, slug), loadRubric(root, slug)]);
  if (spec.status === 'rejected' || rubric.status === 'rejected') {
    const failures = [spec, rubric].flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    return { problems: await problemsOf(slug, failures) };
  }
  const { title, tier, minutes, level, buildsOn, patterns } = spec.value;
  const { version, bar } = rubric.value;
  const hash = suiteHash(root, slug);
  return { facts: { slug, title, tier, minutes, level, buildsOn, patterns, version, bar, suiteHash: hash } };
}

async function problemsOf(slug: string, failures: readonly unknown[]): Promise<CourseProblem[]> {
  const { CourseError } = await import('./course-problem.ts');
  return failures.flatMap((failure) =>
    failure instanceof CourseError
      ? failure.problems
      : [
          {
            file: kataFiles(slug).spec,
            field: null,
            message: failure instanceof Error ? failure.message : String(failure),
          },
        ],
  );
}

function inMapOrder(katas: readonly Kata[]): Kata[] {
  const bySlug = new Map(katas.map((kata) => [kata.slug, kata]));
  const depthOf = (slug: string, above: readonly string[] = []): number => {
    const below = above.includes(slug) ? [] : (bySlug.get(slug)?.buildsOn ?? []);
    return below.reduce((depth, one) => Math.max(depth, 1 + depthOf(one, [...above, slug])), 0);
  };
  const rank = (kata: Kata) => (kata.tier === 'pattern' ? 0 : 1000) + depthOf(kata.slug);
  return [...katas].sort((a, b) => rank(a) - rank(b) || (a.slug < b.slug ? -1 : 1));
}
