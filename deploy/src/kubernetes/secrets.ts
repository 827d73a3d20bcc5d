import { DATABASE, POSTGRES_PORT } from '../postgres-init.js';
import { DATABASE_OWNERS, type DatabaseOwner } from '../workloads.js';

/** Secret of PostgreSQL's superuser, key `password`. */
export const ADMIN_SECRET = 'fidelis-database-admin';

/** Secret of a service's database role: `url` is for the service, `password` for PostgreSQL's first start. */
export function databaseSecret(owner: DatabaseOwner): string {
  return `fidelis-database-${owner}`;
}

/** Throw-away passwords for a cluster on one's own machine; the base has no secret in it. */
export function localSecretGenerators(): object[] {
  return [
    { name: ADMIN_SECRET, literals: ['password=local-admin'] },
    ...DATABASE_OWNERS.map((owner) => ({
      name: databaseSecret(owner),
      literals: [
        `password=local-${owner}`,
        `url=postgres://${owner}:local-${owner}@postgres:${POSTGRES_PORT}/${DATABASE}`,
      ],
    })),
  ];
}
