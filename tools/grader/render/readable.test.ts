import { expect, test } from 'vitest';
import { readable } from './readable.ts';

test('tells JSON at the end of a text without its quotes, and ids by their beginning', () => {
  const text = 'applied {"key":"753aa59b-4307-47a7-8000-0f90e1de0000","payload":{"serial":2},"tags":["a",null]}';

  expect(readable(text)).toBe('applied {key: 753aa59b, payload: {serial: 2}, tags: [a, null]}');
});

test('leaves a bracket alone that begins no JSON', () => {
  expect(readable('failed [sic] {again')).toBe('failed [sic] {again');
});

test('cuts what is too long to be read in a drawing', () => {
  expect(readable('x'.repeat(400))).toHaveLength(180);
});
