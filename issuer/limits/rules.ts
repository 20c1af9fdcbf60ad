/** What is limited, to how much, and why that much. */

/** How often something may happen: `points` times in `seconds`. */
export type Rule = { readonly points: number; readonly seconds: number };

const MINUTE = 60;

/**
 * All rate limits. An address is a network as `toNetwork` has it; behind one address there may be a whole
 * company. The keys and discovery, which kube-apiservers read, are under no limit: a cluster that can't
 * read them refuses everyone, and answering costs nothing.
 */
export const RULES = {
  // Whatever has no narrower limit. A page and its parts are three requests; a company of 2,000 people that
  // all sign in within one minute passes.
  address: { points: 6_000, seconds: MINUTE },
  // What whoever isn't signed in makes us store, each for ten minutes or more: sign-ins that begin. Of a
  // site, as `toSite` has it, so that nobody has many shares; the same company passes.
  anonymous_site: { points: 2_400, seconds: MINUTE },
  // Each kubectl renews every two minutes, and build machines share an address.
  token_address: { points: 6_000, seconds: MINUTE },
  // A password costs us 50 ms of a processor; people need one a day.
  sign_in_address: { points: 120, seconds: MINUTE },
  // Tries at one account from one address: a few typing errors, then a minute's wait …
  password_burst: { points: 5, seconds: MINUTE },
  // … and who goes on for long waits for the rest of the hour.
  password_account_address: { points: 20, seconds: 60 * MINUTE },
  // Guessing spread over many addresses. Lenient, because whoever is locked out by it may be the owner: it
  // ends by itself within a quarter of an hour, whatever the others do.
  password_account: { points: 200, seconds: 15 * MINUTE },
  // Refused token requests of one client from one address. Not of the client alone: a workspace's client id
  // is public, and anyone could use it up for its people. Polling for a device isn't refused.
  token_errors_client: { points: 60, seconds: MINUTE },
  // Each makes a code that lives for five minutes and that somebody could guess.
  device_authorization_address: { points: 60, seconds: MINUTE },
  // Of one client from one site: a client's id is public, and no single attacker may use up its codes.
  device_authorization_site: { points: 120, seconds: MINUTE },
  // Of one client from everywhere: 30,000 live codes, of which each guess meets one in 8·10⁵ tries. Only who
  // has fifty sites can use that up, and for the one client alone.
  device_authorization_client: { points: 6_000, seconds: MINUTE },
  // Pushed authorization requests (RFC 9126) are rows for a minute, and anyone may push as a public client.
  pushed_request_address: { points: 600, seconds: MINUTE },
  // Wrong device codes (RFC 8628 §5.1): of 2.5·10¹⁰ codes, 1,000 live ones are met in one of 2.5·10⁷ tries.
  code_entry_session: { points: 10, seconds: 5 * MINUTE },
  code_entry_address: { points: 60, seconds: 5 * MINUTE },
  // Entries of one code that is right, for its whole life; then it is dead.
  user_code: { points: 10, seconds: 5 * MINUTE },
} as const satisfies Readonly<Record<string, Rule>>;

/** The name of a limit. */
export type LimitName = keyof typeof RULES;

/** A rule for each limit. */
export type Rules = Readonly<Record<LimitName, Rule>>;
