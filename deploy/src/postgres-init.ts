import { DATABASE_OWNERS, type DatabaseOwner } from './workloads.js';

export const DATABASE = 'fidelis';
export const POSTGRES_PORT = 5432;

/** Variable of the PostgreSQL container that carries the password of a service's role. */
export function passwordVariable(owner: DatabaseOwner): string {
  return `FIDELIS_${owner.toUpperCase()}_PASSWORD`;
}

/**
 * Run by psql when the volume is empty. Each service gets a role and a schema that the role owns, and sees no other's; tables come
 * from the service's own migrations.
 */
export function postgresInit(): string {
  const header = `-- Generated from deploy/src/postgres-init.ts.
\\set ON_ERROR_STOP on
REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
`;
  return header + DATABASE_OWNERS.map(roleAndSchema).join('');
}

function roleAndSchema(owner: DatabaseOwner): string {
  return `
\\getenv ${owner}_password ${passwordVariable(owner)}
CREATE ROLE ${owner} LOGIN PASSWORD :'${owner}_password';
GRANT CONNECT ON DATABASE ${DATABASE} TO ${owner};
CREATE SCHEMA ${owner} AUTHORIZATION ${owner};
`;
}
