/** A worker thread of the smoke suite. */
import { workerData } from 'node:worker_threads'
import { Connection } from 'carom'
import { echo, echoSync } from './targets.mjs'

const conn = Connection.from(workerData.end)
await { echo, echoSync }[workerData.target](conn)
