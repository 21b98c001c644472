/**
 * A short test of all that carom does, for runtimes that the ava suite does not run on: `deno run -A
 * __test__/smoke/run.mjs`, and the same with Bun and Node. `npm run test:runtimes` runs it on each.
 */
import './pipe.mjs'
import './wait.mjs'
import './listener.mjs'
import './process.mjs'
import './workers.mjs'
import './life.mjs'
import { runTests } from './smoke.mjs'

await runTests()
// What a failed test has left open would keep this process alive.
if (process.exitCode) process.exit()
