/** The options of `node` that a child takes over from its parent. */

const dropped = /^(?:-p?e|-p|--eval|--print|--input-type|--(?:test|watch|inspect).*)(?:=|$)/s

/**
 * Without what runs other code than the child's, and what watches, tests or debugs the parent. All that is no option
 * in `process.execArgv` is the value of the option before it.
 */
export function inheritable(execArgv: readonly string[]): string[] {
  let keep = true
  return execArgv.filter(item => {
    if (item.startsWith('-')) keep = !dropped.test(item)
    return keep
  })
}
