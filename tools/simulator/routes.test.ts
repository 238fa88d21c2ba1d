import { expect, test } from 'vitest';
import { routeMatcherOf } from './routes.ts';

const nameOf = routeMatcherOf([
  'POST /items',
  'GET /items',
  'GET /items/:id',
  'GET /items/:id/tags/:tag',
  'PUT /v1.0/items',
]);

test.each([
  ['GET', '/items', 'GET /items'],
  ['GET', '/items?cursor=/items/7', 'GET /items'],
  ['GET', '/items/7', 'GET /items/:id'],
  ['GET', '/items/7/tags/a%2Fb', 'GET /items/:id/tags/:tag'],
  ['POST', '/items', 'POST /items'],
  ['PUT', '/v1.0/items', 'PUT /v1.0/items'],
])('names %s %s by its pattern', (method, path, endpoint) => {
  expect(nameOf(method, `https://api.example.test${path}`)).toBe(endpoint);
});

test.each([
  ['DELETE', '/items'],
  ['POST', '/items/7'],
  ['GET', '/items/7/other'],
  ['PUT', '/v1x0/items'],
])('names %s %s, which no pattern has, by its own path', (method, path) => {
  expect(nameOf(method, `https://api.example.test${path}`)).toBe(`${method} ${path}`);
});

// A parameter's name may have digits and underscores in Hono; here the rest of it is taken for text.
test.each(['item_id', 'item2'])('names a path by a pattern with the parameter %s', (name) => {
  const nameOfOther = routeMatcherOf([`GET /items/:${name}`]);

  expect(nameOfOther('GET', 'https://api.example.test/items/7')).toBe(`GET /items/:${name}`);
});
