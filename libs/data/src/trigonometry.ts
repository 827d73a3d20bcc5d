/**
 * Sine and cosine of a part of a full turn to 1e-15, with + − × ÷ alone: engines and their versions differ in the last bit of `Math.sin`, and
 * what is made here (the form of an image, a random weight) is part of a result's identity. For the same reason the order of the operations
 * stays what it is.
 *
 * @param turns −1…1; a quarter is 90°
 */
export function sineAndCosine(turns: number): readonly [sine: number, cosine: number] {
  // The nearest multiple of a quarter turn, and what is left: at most an eighth of a turn to either side. Exact.
  const quarter = Math.floor(turns * 4 + 0.5);
  const angle = (turns - quarter / 4) * 2 * Math.PI;
  const square = angle * angle;
  let sine = 1;
  let cosine = 1;
  // Taylor's series from the last term on; the first one left out is below 2^-53 of the sum.
  for (let term = 16; term >= 2; term -= 2) {
    sine = 1 - (square / (term * (term + 1))) * sine;
    cosine = 1 - (square / (term * (term - 1))) * cosine;
  }
  sine *= angle;
  switch (quarter & 3) {
    case 0:
      return [sine, cosine];
    case 1:
      return [cosine, -sine];
    case 2:
      return [-sine, -cosine];
    default:
      return [-cosine, sine];
  }
}
