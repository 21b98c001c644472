/**
 * What takes turns in a work: its peers, or where it has variants each peer with each of them. An entry is named as in
 * the table.
 */
import { tooMany } from './descriptors.mjs'
import { peers } from './peers/index.mjs'

export function takesPart(peer, work) {
  return work.peers ? work.peers.includes(peer) : peers[peer].takesPart(work)
}

/** `skip(name, why)` is told of what cannot run here. */
export function entriesOf(workName, work, peerNames, skip) {
  const variants = work.variants ? Object.entries(work.variants) : [[undefined, {}]]
  const fitting = variants.filter(([name, { connections = 0 }]) => {
    const why = tooMany(connections)
    if (why) skip(`${workName} ${name}`, why)
    return !why
  })
  return peerNames.flatMap(peer =>
    fitting.map(([variantName, variant]) => ({
      name: rowOf(peer, variantName),
      peer,
      variantName,
      command: peers[peer].command(work, workName, { name: variantName, ...variant }),
    })),
  )
}

/** The entry that another one's figures are divided by; `asked` is a peer. */
export function baselineOf({ peer, variantName }, { baseline, baselineVariant }, asked) {
  if (asked === undefined && baselineVariant !== undefined) return rowOf(peer, baselineVariant)
  return rowOf(asked ?? baseline, variantName)
}

function rowOf(peer, variantName) {
  return variantName === undefined ? peer : `${peer} ${variantName}`
}
