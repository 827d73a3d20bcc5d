import { readText } from './deploy-files.js';

/**
 * Is a path of the repository in the build context, by .dockerignore? The last pattern that matches decides; a pattern matches a path or
 * one of the folders above it.
 */
export function isInContext(path: string, ignoreFile = readText('.dockerignore')): boolean {
  let included = true;
  for (const line of ignoreFile.split('\n')) {
    const pattern = line.trim();
    if (pattern === '' || pattern.startsWith('#')) continue;
    const exception = pattern.startsWith('!');
    if (matches(exception ? pattern.slice(1) : pattern, path)) included = exception;
  }
  return included;
}

function matches(pattern: string, path: string): boolean {
  const expression = pattern
    .split(/(\*\*\/|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      return part === '*' ? '[^/]*' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${expression}(?:/|$)`).test(path);
}
