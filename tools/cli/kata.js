#!/usr/bin/env node
// The `kata` command. Plain JavaScript, so that an old Node can at least say what it lacks.
import module from 'node:module';

const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < NEEDED) {
  console.error(
    `This course runs on Node ${NEEDED}, and this is Node ${process.versions.node}.\n` +
      'The project brings its own: run `npm ci` in its folder once, then use `npx kata` or the npm scripts.',
  );
  process.exitCode = 70;
} else {
  if (module.enableCompileCache) module.enableCompileCache();
  import('./main.ts').then(
    async ({ main }) => {
      process.exitCode = await main(process.argv.slice(2));
    },
    (error) => {
      const isMissing = error && error.code === 'ERR_MODULE_NOT_FOUND';
      console.error(
        isMissing
          ? 'A part of the course is not installed. Run `npm ci` in its folder, then try again.'
          : `The command could not be loaded: ${error?.message}`,
      );
      if (process.env.KATA_DEBUG) console.error(error);
      process.exitCode = 70;
    },
  );
}
