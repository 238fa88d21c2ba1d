/** Names the endpoint of a request: `POST /items/7` is `POST /items/:id`. */
export type RouteMatcher = (method: string, url: string) => string;

/** Matches against patterns as Hono writes them; what matches none is named by its own path. */
export function createRouteMatcher(endpoints: readonly string[]): RouteMatcher {
  const routes = endpoints.map((endpoint) => {
    const [method = '', path = ''] = endpoint.split(' ');
    const pattern = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
    return { endpoint, method, pattern: new RegExp(`^${pattern}$`) };
  });
  return (method, url) => {
    const { pathname } = new URL(url);
    const found = routes.find((route) => route.method === method && route.pattern.test(pathname));
    return found?.endpoint ?? `${method} ${pathname}`;
  };
}
