/** Where a session or a client's sign-in comes from, for its person to recognize it. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import * as z from 'zod';

const USER_AGENT_LENGTH = 256;

const OriginSchema = z.object({
  userAgent: z.string(),
  ip: z.string(),
  /** When this was so, in seconds since 1970. */
  at: z.int(),
  /** By device code (RFC 8628): user agent and address are the device's. */
  device: z.boolean(),
});

/** Where something was last seen. It is sealed with the payload that it belongs to. */
export type Origin = Readonly<z.infer<typeof OriginSchema>>;

/** The origin of a request in which a session or grant is stored; `undefined` outside of one. */
export const originOf = (ctx: KoaContextWithOIDC | undefined): Origin | undefined => {
  if (!ctx) return undefined;
  const device = deviceOf(ctx);
  return {
    userAgent: shorten(device ? text(device['ua']) : ctx.get('user-agent')),
    ip: device ? text(device['ip']) : ctx.ip,
    at: Math.floor(Date.now() / 1000),
    device: device !== undefined,
  };
};

/** The origin in a stored payload, if it has one. */
export const readOrigin = (payload: Readonly<Record<string, unknown>>): Origin | undefined =>
  OriginSchema.safeParse(payload['origin']).data;

const deviceOf = ({ oidc }: KoaContextWithOIDC): Readonly<Record<string, unknown>> | undefined =>
  oidc?.route === 'device_resume'
    ? ((oidc.entities.DeviceCode?.deviceInfo as Record<string, unknown> | undefined) ?? {})
    : undefined;

const shorten = (userAgent: string): string =>
  userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, USER_AGENT_LENGTH);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
