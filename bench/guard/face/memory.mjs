/**
 * `node memory.mjs NAME`: how many bytes one run takes for each message, in V8's heap and in the memory of buffers.
 *
 * Nothing is collected meanwhile, so that what is left over is all that was taken. Rounds differ where V8 optimises
 * something: the median is one in which it has not.
 */
import { PerformanceObserver, performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import * as carom from '../../../index.mjs'
import { median } from '../../statistics.mjs'
import { works } from './works.mjs'

const WARM_UP = 60
const ROUNDS = 11

const round = works[process.argv[2]](carom)
for (let index = 0; index < WARM_UP; index++) await round()
globalThis.gc()

const begin = performance.now()
const collections = new PerformanceObserver(() => {})
collections.observe({ entryTypes: ['gc'] })
const heap = []
const buffers = []
for (let index = 0; index < ROUNDS; index++) {
  const before = taken()
  const messages = await round()
  const after = taken()
  heap.push((after.heap - before.heap) / messages)
  buffers.push((after.buffers - before.buffers) / messages)
}
await setImmediate()
if (collections.takeRecords().some(({ startTime }) => startTime >= begin))
  throw new Error('There was a collection while memory was counted: make the rounds smaller')
console.log(JSON.stringify({ heapBytes: median(heap), bufferBytes: median(buffers) }))

function taken() {
  return { heap: getHeapStatistics().used_heap_size, buffers: process.memoryUsage().arrayBuffers }
}
