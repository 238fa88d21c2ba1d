import { CourseError } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import { readCourseText } from './read-text.ts';
import { type Bands, bands, LEVELS, type Rubric, rubric } from './schema.ts';
import { parseYaml } from './validate.ts';

/** A kata's rubric, checked against its schema. @throws CourseError that names each wrong field */
export async function loadRubric(root: string, slug: string): Promise<Rubric> {
  const file = kataFiles(slug).rubric;
  const loaded = parseYaml(rubric, await readCourseText(root, file), file);
  if (loaded.kata === slug) return loaded;
  throw new CourseError([
    { file, field: 'kata', message: `must be ${slug}, as the file is called, but is ${loaded.kata}.` },
  ]);
}

/** The bands, lowest first: not-yet, mid, senior, staff. @throws CourseError that names each wrong field */
export async function loadBands(root: string): Promise<Bands> {
  const file = 'rubric/bands.yaml';
  const loaded = parseYaml(bands, await readCourseText(root, file), file);
  const order = ['not-yet', ...LEVELS].join(', ');
  const found = loaded.bands.map(({ id }) => id).join(', ');
  if (found === order) return loaded;
  throw new CourseError([{ file, field: 'bands', message: `must be ${order}, in this order, but is ${found}.` }]);
}
