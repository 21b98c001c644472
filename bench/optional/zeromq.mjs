/** From the packages of this folder. */
export { Pair } from 'zeromq'
