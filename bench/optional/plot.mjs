/** From the packages of this folder: the plotting library, and the document that it draws into. */
import { parseHTML } from 'linkedom'

export * as Plot from '@observablehq/plot'
export const { document } = parseHTML('<!doctype html><html><body></body></html>')
