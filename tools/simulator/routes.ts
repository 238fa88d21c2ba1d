/** Names the endpoint of a request: `POST /items/7` is `POST /items/:id`. */
export type RouteMatcher = (method: string, url: string) => string;

/** Matches against patterns as Hono writes them; what matches none is named by its own path. */
export function createRouteMatcher(endpoints: readonly string[]): RouteMatcher {
  const routes = endpoints.map((endpoint) => {
    const [method = '', path = ''] = endpoint.split(' ');
    const pattern = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
    return { endpoint, method, pattern: new RegExp(`^${pattern}$`) };
  });
  // A run has a matcher of its own, and asks for the same few URLs again and again.
  const known = new Map<string, string>();
  return (method, url) => {
    const key = `${method} ${url}`;
    const found = known.get(key) ?? nameOf(method, new URL(url).pathname);
    known.set(key, found);
    return found;
  };

  function nameOf(method: string, pathname: string): string {
    const route = routes.find((one) => one.method === method && one.pattern.test(pathname));
    return route?.endpoint ?? `${method} ${pathname}`;
  }
}
