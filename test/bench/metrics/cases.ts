export interface BenchCase {
  readonly rows: number;
  readonly classes: number;
}

export interface BenchArrays {
  /** [rows][classes] */
  readonly teacher: Float32Array;
  readonly student: Float32Array;
  /** [rows][classes], the student's softmax. */
  readonly probabilities: Float32Array;
  readonly labels: Int32Array;
}

/** Normal logits of standard deviation 3 for the teacher; the student's are those plus noise; labels follow the teacher by half. */
export function createLogits({ rows, classes }: BenchCase): BenchArrays {
  const random = generator(1);
  const size = rows * classes;
  const teacher = Float32Array.from({ length: size }, () => 3 * normal(random));
  const student = teacher.map((value) => value + normal(random));
  const probabilities = new Float32Array(size);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const logits = student.subarray(row * classes, (row + 1) * classes);
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = Float64Array.from(logits, (value) => Math.exp(value - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    probabilities.set(
      weights.map((weight) => weight / total),
      row * classes,
    );
    const right = teacher.subarray(row * classes, (row + 1) * classes);
    const best = right.indexOf(right.reduce((a, b) => Math.max(a, b), -Infinity));
    labels[row] = random() < 0.5 ? best : Math.floor(random() * classes);
  }
  return { teacher, student, probabilities, labels };
}

/** Uniform numbers in (0, 1): a Weyl sequence through the finaliser of MurmurHash3. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32 + 2 ** -33;
  };
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}
