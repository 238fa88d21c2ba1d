import { defineConfig } from 'vitest/config';

// The suites run on the learner's attempt; with `--mode reference` on the reference.
export default defineConfig(({ mode }) => ({
  ssr: {
    resolve: {
      conditions: [...(mode === 'reference' ? ['reference'] : []), 'node', 'module', 'development|production'],
    },
  },
  test: {
    // Tags are the criteria of each kata's rubric; `kata verify` checks them.
    strictTags: false,
    // As many as the cores of a small machine; by default one is left idle.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'katas', include: ['katas/*/suite.test.ts'] } },
      { extends: true, test: { name: 'tools', include: ['tools/**/*.test.ts'] } },
    ],
  },
}));
