import { defineConfig } from 'vitest/config';

// The suites run on the learner's attempt; with KATA_TARGET=reference on the reference.
const conditions = process.env.KATA_TARGET === 'reference' ? ['reference'] : [];

export default defineConfig({
  test: {
    strictTags: false,
    projects: [
      {
        extends: true,
        ssr: { resolve: { conditions: [...conditions, 'node', 'module', 'development|production'] } },
        test: { name: 'katas', include: ['katas/*/suite.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'tools', include: ['tools/**/*.test.ts'] },
      },
    ],
  },
});
