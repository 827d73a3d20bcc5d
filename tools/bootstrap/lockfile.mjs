/**
 * @typedef {{ version?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lockfile
 */

/**
 * Does npm's record of what it has put into node_modules hold all that the lockfile asks for on this machine? True also after an
 * `npm install` by hand, which then need not be done again.
 * @param {Lockfile | undefined} wanted package-lock.json
 * @param {Lockfile | undefined} installed node_modules/.package-lock.json
 * @param {{ platform: string, arch: string }} machine
 * @returns {boolean}
 */
export function isInstalled(wanted, installed, machine) {
  if (wanted?.packages === undefined || installed?.packages === undefined) return false;
  const found = installed.packages;
  // What lies inside a package for another machine is left out with it.
  const isForAnotherMachine = (path) =>
    pathsDownTo(path).some((each) => {
      const entry = wanted.packages?.[each];
      return entry?.optional === true && !suits(entry, machine);
    });
  return Object.entries(wanted.packages)
    .filter(
      ([path, entry]) => path.includes('node_modules/') && !(entry.optional && isForAnotherMachine(path)),
    )
    .every(([path, entry]) => {
      const there = found[path];
      if (there === undefined) return entry.optional === true && entry.libc !== undefined;
      return there.version === entry.version;
    });
}

/** `a/node_modules/b` and all that it lies in. */
function pathsDownTo(path) {
  const parts = path.split('/node_modules/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/node_modules/'));
}

/**
 * @param {LockedPackage} entry
 * @param {{ platform: string, arch: string }} machine
 */
function suits({ os, cpu }, { platform, arch }) {
  return allows(os, platform) && allows(cpu, arch);
}

/** npm's lists name what is allowed, or with "!" what is not. */
function allows(list, name) {
  if (list === undefined) return true;
  if (list.includes(`!${name}`)) return false;
  const named = list.filter((each) => !each.startsWith('!'));
  return named.length === 0 || named.includes(name);
}
