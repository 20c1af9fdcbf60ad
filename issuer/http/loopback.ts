/** The hosts that are this machine, to which HTTP in the clear goes over no network. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a hostname, as `URL` writes it, is this machine. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.has(hostname);
