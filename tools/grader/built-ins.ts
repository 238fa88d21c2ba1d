// The built-ins an attempt shares with the simulator: changed ones would falsify what follows.

const SHARED: readonly (readonly [string, object])[] = [
  ['Object', Object],
  ['Object.prototype', Object.prototype],
  ['Function.prototype', Function.prototype],
  ['Array', Array],
  ['Array.prototype', Array.prototype],
  ['String.prototype', String.prototype],
  ['Number.prototype', Number.prototype],
  ['Promise', Promise],
  ['Promise.prototype', Promise.prototype],
  ['Map.prototype', Map.prototype],
  ['Set.prototype', Set.prototype],
  ['Date', Date],
  ['Date.prototype', Date.prototype],
  ['JSON', JSON],
  ['Math', Math],
  ['Error', Error],
  ['Error.prototype', Error.prototype],
  ['Request.prototype', Request.prototype],
  ['Response', Response],
  ['Response.prototype', Response.prototype],
  ['Headers.prototype', Headers.prototype],
  ['AbortSignal', AbortSignal],
  ['AbortController.prototype', AbortController.prototype],
  ['EventTarget.prototype', EventTarget.prototype],
];

/** Remembers the shared built-ins as they are. The function it gives names those changed since. */
export function watchBuiltIns(): () => string[] {
  const before = new Map(
    SHARED.map(([name, object]) => [name, Object.getOwnPropertyDescriptors(object) as Descriptors]),
  );
  return () =>
    SHARED.flatMap(([name, object]) => changed(name, before.get(name) ?? {}, Object.getOwnPropertyDescriptors(object)));
}

type Descriptors = Record<PropertyKey, PropertyDescriptor>;

function changed(name: string, before: Descriptors, after: Descriptors): string[] {
  const keys = new Set([...Reflect.ownKeys(before), ...Reflect.ownKeys(after)]);
  // Node sets this one itself while it prepares a stack trace.
  keys.delete('stackTraceLimit');
  return [...keys].filter((key) => !isSame(before[key], after[key])).map((key) => `${name}.${String(key)}`);
}

const isSame = (a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean =>
  a?.value === b?.value && a?.get === b?.get && a?.set === b?.set;
