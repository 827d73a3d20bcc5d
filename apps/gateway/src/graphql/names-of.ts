/** The form in which GraphQL wants an enum. Its names are the wire's words, so that there is one vocabulary. */
export function namesOf<const Names extends readonly string[]>(
  names: Names,
): { readonly [Name in Names[number]]: Name } {
  return Object.fromEntries(names.map((name) => [name, name])) as { [Name in Names[number]]: Name };
}
