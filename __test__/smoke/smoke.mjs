/**
 * What the smoke suite is written with: it runs where ava does not, so it needs nothing but the runtime's `node:`
 * modules.
 */

/** No smoke test takes a tenth of it, even on an emulated machine's processor. */
const LIMIT = 60_000

export const runtime = ['bun', 'deno'].find(name => name in process.versions) ?? 'node'

const tests = []

/** `lacking` says by runtime why it cannot be there. */
export function test(name, body, lacking = {}) {
  tests.push({ name, body, reason: lacking[runtime] })
}

/** Runs all tests in turn, and closes with the number of those that passed and failed. */
export async function runTests() {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, body, reason } of tests) {
    if (reason) {
      console.log(`skipped: ${name}: ${reason}`)
      counts.skipped++
      continue
    }
    try {
      await within(LIMIT, body())
      console.log(`passed: ${name}`)
      counts.passed++
    } catch (error) {
      console.log(`FAILED: ${name}`)
      console.log(error)
      counts.failed++
    }
  }
  console.log(
    `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}`,
  )
  process.exitCode = counts.failed === 0 ? 0 : 1
}

async function within(limit, promise) {
  let timer
  const over = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done after ${limit} ms`)), limit)
  })
  try {
    await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
