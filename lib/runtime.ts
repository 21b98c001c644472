/** What runtimes besides Node do not have, though its names are there. */
const { bun, deno } = process.versions

/**
 * An addon can use libuv. Bun 1.4 aborts the process when it does, and Deno 2.9 frees twice the hook in which a watcher
 * of the loop has to be closed.
 */
export const hasLibuv = bun === undefined && deno === undefined

/** The serializer of `node:v8` is V8's, and can be extended. Bun's engine has a format of its own. */
export const hasV8 = bun === undefined
