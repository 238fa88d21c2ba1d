import { expect, test } from 'vitest';
import { boundTo } from './bound-class.ts';

class Place {
  static readonly KIND = 'place';
  readonly path: string;

  constructor(root: string, ...names: string[]) {
    this.path = [root, ...names].join('/');
  }
}

test('gives a constructor what it is bound to, before what new is called with', () => {
  const [Mine, Yours] = [boundTo(Place, 'mine'), boundTo(Place, 'yours')];

  expect([new Mine('a', 'b').path, new Yours('a').path]).toEqual(['mine/a/b', 'yours/a']);
  expect(new Mine()).toBeInstanceOf(Mine);
  expect(new Mine()).toBeInstanceOf(Place);
  expect(Reflect.get(Mine, 'KIND')).toBe('place');
});

test('can be extended like the class itself', () => {
  class House extends boundTo(Place, 'town') {
    get door(): string {
      return `${this.path}/door`;
    }
  }

  expect(new House('7').door).toBe('town/7/door');
  expect(new House('7')).toBeInstanceOf(House);
});
