import type { Report } from '../grader/report.ts';
import { EXIT } from './exit-code.ts';

/** The exit code that a grade ends its command with. */
export function exitOf({ status }: Report): number {
  switch (status) {
    case 'passed':
      return EXIT.ok;
    case 'below-bar':
      return EXIT.belowBar;
    case 'not-gradable':
      return EXIT.notGradable;
    case 'incomplete':
      return EXIT.incomplete;
  }
}
