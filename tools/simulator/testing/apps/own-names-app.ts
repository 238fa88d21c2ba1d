// Names of its own that are also the platform's.
const self = { name: 'mine' };
const window = 7;
class Worker {
  readonly kind = 'mine';
}

export const names = [self.name, window, new Worker().kind, typeof process, typeof localStorage];
