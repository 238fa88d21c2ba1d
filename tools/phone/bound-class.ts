// Classes that belong to one launch.

/**
 * A class whose constructor is given `first` before what `new` is called with: a launch's own `WebSocket`, its own `File`.
 * A proxy and no subclass: of a class made in a launch V8 keeps a map, and with it all that the class can reach, until
 * the collector's next full round. For the same reason all launches share `base`'s prototype: an app that changes it
 * changes it for those after it, too.
 */
export function boundTo<First, Args extends unknown[], Made extends object>(
  base: new (first: First, ...args: Args) => Made,
  first: First,
): new (
  ...args: Args
) => Made {
  const bound: object = new Proxy(base, {
    construct: (target, args: Args, newTarget) =>
      Reflect.construct(target, [first, ...args], newTarget === bound ? target : newTarget),
  });
  return bound as new (
    ...args: Args
  ) => Made;
}
