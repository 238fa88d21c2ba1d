// Lets a person at a terminal choose a kata.
import type { Kata } from '../course/catalogue.ts';
import type { Standing } from '../history/standing.ts';
import { nextStep, STATE_LOOK } from './course-map.ts';

/** The kata chosen; `none` when the person would rather not, `interrupted` at Ctrl-C. Begins at the good next one. */
export async function chooseKata(
  katas: readonly Kata[],
  standingOf: (kata: Kata) => Standing,
): Promise<Kata | 'none' | 'interrupted'> {
  const { default: prompts } = await import('prompts');
  const next = nextStep(katas, standingOf)?.kata;
  let isInterrupted = false;
  // To `prompts`, Ctrl-C and Esc are the same; to a shell they are not.
  const noteInterrupt = (_: unknown, key: { ctrl?: boolean; name?: string }) => {
    isInterrupted = key.ctrl === true && key.name === 'c';
  };
  process.stdin.on('keypress', noteInterrupt);
  const choices = katas.map((kata) => {
    const { mark, words } = STATE_LOOK[standingOf(kata).state];
    return {
      title: `${mark} ${kata.slug}`,
      description: `${kata.title}, ${kata.minutes} min, ${words}`,
      value: kata.slug,
    };
  });
  const { slug } = await prompts({
    type: 'select',
    name: 'slug',
    message: 'Which kata?',
    hint: 'Enter, or Esc to leave',
    choices: [...choices, { title: 'none now', value: '' }],
    initial: next === undefined ? 0 : katas.indexOf(next),
  });
  process.stdin.off('keypress', noteInterrupt);
  return katas.find((kata) => kata.slug === slug) ?? (isInterrupted ? 'interrupted' : 'none');
}
