import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

export function readText(path: string): string {
  return readFileSync(`${REPOSITORY}${path}`, 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(`${REPOSITORY}${path}`);
}

/** Paths of the files below a folder, relative to it, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(`${REPOSITORY}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(`${REPOSITORY}${folder}/`.length))
    .sort();
}

/** One document, with `<<` merges as in Compose files. */
export function readYaml(path: string): unknown {
  return parse(readText(path), { merge: true });
}

export function readYamlDocuments(path: string): unknown[] {
  return parseAllDocuments(readText(path)).map((document): unknown => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path)) as unknown;
}
