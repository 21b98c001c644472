/** What listener and clients have in common. */
export const authkey = 'the key of the benchmark, which is no secret'
