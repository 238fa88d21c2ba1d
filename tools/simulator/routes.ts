/** Names the endpoint of a request: `POST /items/7` is `POST /items/:id`. */
export type RouteMatcher = (method: string, url: string) => string;

/** Every run asks for the matcher of its scenario's endpoints. */
const matchers = new WeakMap<readonly string[], RouteMatcher>();
/** Runs ask for the same few URLs again and again. */
const KNOWN_MAX = 1_000;

/** Matches against patterns as Hono writes them; what matches none is named by its own path. The list must not change. */
export function routeMatcherOf(endpoints: readonly string[]): RouteMatcher {
  const made = matchers.get(endpoints) ?? createRouteMatcher(endpoints);
  matchers.set(endpoints, made);
  return made;
}

function createRouteMatcher(endpoints: readonly string[]): RouteMatcher {
  const routes = endpoints.map((endpoint) => {
    const [method = '', path = ''] = endpoint.split(' ');
    const pattern = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
    return { endpoint, method, pattern: new RegExp(`^${pattern}$`) };
  });
  const known = new Map<string, string>();
  return (method, url) => {
    const key = `${method} ${url}`;
    let found = known.get(key);
    if (found === undefined) {
      found = nameOf(method, new URL(url).pathname);
      if (known.size >= KNOWN_MAX) known.clear();
      known.set(key, found);
    }
    return found;
  };

  function nameOf(method: string, pathname: string): string {
    const route = routes.find((one) => one.method === method && one.pattern.test(pathname));
    return route?.endpoint ?? `${method} ${pathname}`;
  }
}
