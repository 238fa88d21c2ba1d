import { expect, test } from 'vitest';
import { loadGuide } from './guide.ts';
import { addNote, beginNotes, notesOf } from './notes.ts';
import type { SessionHeader } from './session-folder.ts';

const guide = await loadGuide();
const header: SessionHeader = {
  schemaVersion: 1,
  id: 'one',
  kata: { slug: 'tiny', title: 'Tiny kata', version: 1 },
  minutes: 45,
  mode: 'alone',
  seed: 1,
  startedAt: '2026-03-02T09:00:00.000Z',
};
const fresh = beginNotes(guide, header, 'candidate');

test('puts a note under the heading of its phase, in order', () => {
  const notes = ['48 h offline', 'order per visit'].reduce(
    (text, note) => addNote(guide, text, 'requirements', note),
    fresh,
  );

  expect(notesOf(guide, notes, 'requirements')).toBe('- 48 h offline\n- order per visit');
  expect(notesOf(guide, notes, 'high-level')).toBe('');
  expect(notes).toContain('## Task and requirements\n\n- 48 h offline\n- order per visit\n\n## High level\n');
});

test('keeps what the person wrote there, tables and all', () => {
  const own = fresh.replace('## High level\n', '## High level\n\n| a | b |\n| - | - |\n\n### Mine\n\ntext\n');

  const notes = addNote(guide, own, 'high-level', 'then this');

  expect(notesOf(guide, notes, 'high-level')).toBe('| a | b |\n| - | - |\n\n### Mine\n\ntext\n\n- then this');
});

test('puts a note at the end when its heading is gone', () => {
  const notes = addNote(guide, 'All mine.\n', 'deep-dive', 'key first');

  expect(notes).toBe('All mine.\n\n## Deep dives\n\n- key first\n');
});

test('loses nothing of an empty file', () => {
  expect(notesOf(guide, addNote(guide, '', 'questions', 'Who owns it?'), 'questions')).toBe('- Who owns it?');
});
