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
    // One more than the cores of a small machine: most of the long tests wait for processes that they have started.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        // The references' suites are checked on machines that have other things to do as well.
        test: {
          name: 'katas',
          include: ['katas/*/suite.test.ts'],
          ...(mode === 'reference' ? { testTimeout: 60_000 } : {}),
        },
      },
      {
        extends: true,
        test: {
          name: 'tools',
          include: ['tools/**/*.test.ts'],
          // A process for each file would spend half its time on starting. What a test puts into globals it takes out.
          isolate: false,
          // Many of these start processes. None asserts on time: this only ends what hangs.
          testTimeout: 60_000,
        },
      },
    ],
  },
}));
