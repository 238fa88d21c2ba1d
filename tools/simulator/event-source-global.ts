// The platform's `EventSource`, bundled into attempts that use it: so its `fetch` and its timers are those of the launch.
export { EventSource } from 'eventsource';
