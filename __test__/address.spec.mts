import test, { type ExecutionContext } from 'ava'
import { address } from './helpers/sources.mjs'

const { boundAddress, checkAddress, checkBindAddress, localFamily, MAX_PATH } = address

const unixes: NodeJS.Platform[] = ['linux', 'android', 'darwin', 'freebsd', 'openbsd', 'netbsd']
const linuxes: NodeJS.Platform[] = ['linux', 'android']
const others: NodeJS.Platform[] = ['darwin', 'freebsd', 'openbsd', 'netbsd']
const platforms: NodeJS.Platform[] = [...unixes, 'win32']
const limits = [...linuxes.map(p => [p, 107] as const), ...others.map(p => [p, 103] as const)]

const local = { host: '127.0.0.1', port: 5000 }

interface Refusal {
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE'
  message: RegExp
}

/** Both checks refuse it alike. */
function refused(
  t: ExecutionContext,
  address: unknown,
  expected: Refusal,
  family?: unknown,
  platform: NodeJS.Platform = 'linux',
): void {
  const instanceOf = expected.code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError
  t.throws(() => checkAddress(address, family, platform), { ...expected, instanceOf })
  t.throws(() => checkBindAddress(address, family, platform), { ...expected, instanceOf })
}

/** Both checks give it. */
function accepted(
  t: ExecutionContext,
  address: unknown,
  expected: unknown,
  family?: unknown,
  platform: NodeJS.Platform = 'linux',
): void {
  t.deepEqual(checkAddress(address, family, platform) as unknown, expected)
  t.deepEqual(checkBindAddress(address, family, platform) as unknown, expected)
}

test('a string is a path where there are Unix sockets, and stays as it is', t => {
  for (const platform of unixes)
    for (const path of ['/tmp/a socket', 'relative', './x', '\\one', 'C:\\x', '::1', '127.0.0.1:80', ' ', '/tmp/Zoë😀'])
      for (const family of [undefined, 'AF_UNIX']) accepted(t, path, { family: 'AF_UNIX', path }, family, platform)
})

test('a path may be as long as the system allows, in bytes, and no longer', t => {
  for (const [platform, limit] of limits) {
    accepted(t, 'x'.repeat(limit), { family: 'AF_UNIX', path: 'x'.repeat(limit) }, undefined, platform)
    const message = new RegExp(`address .*at most ${limit} bytes, not ${limit + 1}$`)
    refused(t, 'x'.repeat(limit + 1), { code: 'ERR_OUT_OF_RANGE', message }, undefined, platform)
    refused(t, `${'x'.repeat(limit - 1)}é`, { code: 'ERR_OUT_OF_RANGE', message }, undefined, platform)
  }
})

test('a name in the abstract namespace is for Linux, at its exact length', t => {
  for (const platform of linuxes) {
    for (const path of ['\0a', '\0with \0 inside\0', `\0${'x'.repeat(107)}`, `\0${'é'.repeat(53)}x`])
      accepted(t, path, { family: 'AF_UNIX', path }, 'AF_UNIX', platform)
    refused(t, '\0', { code: 'ERR_INVALID_ARG_VALUE', message: /after the NUL/ }, undefined, platform)
    const message = /at most 107 bytes after the NUL, not 108$/
    refused(t, `\0${'x'.repeat(108)}`, { code: 'ERR_OUT_OF_RANGE', message }, undefined, platform)
    refused(t, `\0${'é'.repeat(54)}`, { code: 'ERR_OUT_OF_RANGE', message }, undefined, platform)
  }
  for (const platform of others)
    for (const path of ['\0a', '\0', `\0${'x'.repeat(200)}`])
      refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /only Linux/ }, undefined, platform)
})

test('a path that is empty, has a NUL in it or half a surrogate pair is refused', t => {
  for (const platform of unixes) {
    refused(t, '', { code: 'ERR_INVALID_ARG_VALUE', message: /address must not be empty/ }, undefined, platform)
    for (const path of ['a\0', 'a\0b', `a\0${'x'.repeat(200)}`])
      refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /NUL/ }, undefined, platform)
    for (const path of ['\ud800', 'a\udc00b', '\ude00\ud83d'])
      refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /surrogate/ }, undefined, platform)
  }
  refused(t, '\0\ud800', { code: 'ERR_INVALID_ARG_VALUE', message: /surrogate/ })
})

test('the name of a pipe is for Windows', t => {
  const longest = `\\\\.\\pipe\\${'x'.repeat(247)}`
  for (const path of ['\\\\.\\pipe\\name', '\\\\.\\PIPE\\Name', '\\\\.\\pipe\\a\\b', '\\\\.\\pipe\\\n', longest])
    for (const family of [undefined, 'AF_PIPE']) accepted(t, path, { family: 'AF_PIPE', path }, family, 'win32')
  for (const path of [
    '\\\\',
    '\\\\.\\pipe\\',
    '\\\\.\\pipe',
    '\\\\server\\pipe\\name',
    '\\\\?\\pipe\\name',
    '\\\\..pipe\\x',
  ])
    refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /\\\\\.\\pipe\\name/ }, undefined, 'win32')
  refused(t, '\\\\.\\pipe\\a\0b', { code: 'ERR_INVALID_ARG_VALUE', message: /NUL/ }, undefined, 'win32')
  refused(t, '\\\\.\\pipe\\\ud800', { code: 'ERR_INVALID_ARG_VALUE', message: /surrogate/ }, undefined, 'win32')
  refused(
    t,
    `${longest}x`,
    { code: 'ERR_OUT_OF_RANGE', message: /at most 256 characters, not 257$/ },
    undefined,
    'win32',
  )
  for (const platform of unixes)
    for (const path of ['\\\\.\\pipe\\name', '\\\\', '\\\\x'])
      refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /only Windows has: give a path/ }, undefined, platform)
})

test('Windows takes no path', t => {
  for (const path of ['/tmp/x', '', 'name', '\0x', 'C:\\x', '\\.\\pipe\\x'])
    refused(t, path, { code: 'ERR_INVALID_ARG_VALUE', message: /\\\\\.\\pipe\\name/ }, undefined, 'win32')
})

test('a host and a port, as an object or an array, on every platform', t => {
  for (const platform of platforms)
    for (const port of [1, 80, 65_535])
      for (const [host, family] of [
        ['127.0.0.1', 'AF_INET'],
        ['0.0.0.0', 'AF_INET'],
        ['localhost', 'AF_INET'],
        ['example.com', 'AF_INET'],
        ['::', 'AF_INET6'],
        ['::1', 'AF_INET6'],
        ['fe80::1%eth0', 'AF_INET6'],
        ['::ffff:127.0.0.1', 'AF_INET6'],
      ])
        for (const given of [undefined, family]) {
          accepted(t, { host, port }, { family, host, port }, given, platform)
          accepted(t, Object.freeze([host, port]), { family, host, port }, given, platform)
          accepted(t, Object.create({ host, port }), { family, host, port }, given, platform)
        }
})

test('the family says which addresses of a host are meant, where its name does not', t => {
  for (const host of ['localhost', 'example.com'])
    for (const family of ['AF_INET', 'AF_INET6']) accepted(t, { host, port: 1 }, { family, host, port: 1 }, family)
})

test('a family that does not fit the address is refused', t => {
  const code = 'ERR_INVALID_ARG_VALUE'
  for (const family of ['AF_INET', 'AF_INET6']) {
    refused(t, '/tmp/x', { code, message: /family .*'AF_UNIX'/ }, family)
    refused(t, '\\\\.\\pipe\\x', { code, message: /family .*'AF_PIPE'/ }, family, 'win32')
  }
  refused(t, { host: '127.0.0.1', port: 1 }, { code, message: /family .*'AF_INET'$/ }, 'AF_INET6')
  refused(t, ['::1', 1], { code, message: /family .*'AF_INET6'$/ }, 'AF_INET')
  for (const host of ['localhost', '127.0.0.1', '::1']) {
    refused(t, [host, 1], { code, message: /family .*'AF_INET' or 'AF_INET6'$/ }, 'AF_UNIX')
    refused(t, [host, 1], { code, message: /family .*'AF_INET' or 'AF_INET6'$/ }, 'AF_PIPE', 'win32')
  }
})

test('a family that does not exist, here or anywhere, is refused with the choices', t => {
  for (const platform of platforms) {
    const isWindows = platform === 'win32'
    const message = new RegExp(`family must be one of '${isWindows ? 'AF_PIPE' : 'AF_UNIX'}', 'AF_INET', 'AF_INET6' on`)
    for (const family of [isWindows ? 'AF_UNIX' : 'AF_PIPE', 'AF_BLUETOOTH', 'af_inet', '', 'toString'])
      for (const address of [local, ['::1', 1], 'x', '\\\\.\\pipe\\x'])
        refused(t, address, { code: 'ERR_INVALID_ARG_VALUE', message }, family, platform)
    for (const family of [null, 2, true, {}, ['AF_INET'], Object('AF_INET')])
      refused(t, local, { code: 'ERR_INVALID_ARG_TYPE', message }, family, platform)
    t.throws(() => checkBindAddress(undefined, isWindows ? 'AF_UNIX' : 'AF_PIPE', platform), { message })
  }
})

test('what is no address is refused', t => {
  for (const platform of platforms)
    for (const address of [null, 1, true, 1n, Symbol('x'), () => 1])
      refused(
        t,
        address,
        { code: 'ERR_INVALID_ARG_TYPE', message: /The address must be .*host, port/ },
        undefined,
        platform,
      )
  for (const address of [[], ['localhost'], ['::1', 80, 0, 0]])
    refused(t, address, { code: 'ERR_INVALID_ARG_VALUE', message: /\[host, port\]/ })
  t.throws(() => checkAddress(undefined, undefined), { code: 'ERR_INVALID_ARG_TYPE', instanceOf: TypeError })
  t.throws(() => checkAddress(undefined, 'AF_INET'), { code: 'ERR_INVALID_ARG_TYPE', instanceOf: TypeError })
})

test('what is no host is refused, and the text says what all interfaces are', t => {
  for (const host of [undefined, null, 5, {}, Object('localhost'), Buffer.from('localhost')]) {
    const message = /The host must be a string .*'0\.0\.0\.0' is all interfaces/
    refused(t, { host, port: 1 }, { code: 'ERR_INVALID_ARG_TYPE', message })
    refused(t, [host, 1], { code: 'ERR_INVALID_ARG_TYPE', message })
  }
  refused(t, ['', 1], {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /host must not be empty: .*'0\.0\.0\.0' is all interf/,
  })
  refused(t, ['local\0host', 1], { code: 'ERR_INVALID_ARG_VALUE', message: /host .*NUL/ })
})

test('what is no port is refused, and 0 is one only where it is bound', t => {
  for (const port of [undefined, null, '80', '', 80n, {}, Object(80)])
    refused(t, { host: 'localhost', port }, { code: 'ERR_INVALID_ARG_TYPE', message: /The port must be a number/ })
  for (const port of [-1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    refused(t, ['::1', port], { code: 'ERR_OUT_OF_RANGE', message: /port must be a whole number .*<= 65535/ })
  const zero = { host: 'localhost', port: 0 }
  t.deepEqual(checkBindAddress(zero, undefined), { family: 'AF_INET', ...zero })
  t.throws(() => checkAddress(zero, undefined), { code: 'ERR_OUT_OF_RANGE', message: />= 1 / })
})

test('no address to bind: a free local port, or a name that the caller makes up', t => {
  for (const platform of platforms) {
    t.deepEqual(checkBindAddress(undefined, 'AF_INET', platform), { family: 'AF_INET', host: '127.0.0.1', port: 0 })
    t.deepEqual(checkBindAddress(undefined, 'AF_INET6', platform), { family: 'AF_INET6', host: '::1', port: 0 })
    t.is(checkBindAddress(undefined, undefined, platform), undefined)
    t.is(checkBindAddress(undefined, platform === 'win32' ? 'AF_PIPE' : 'AF_UNIX', platform), undefined)
  }
})

test("the result is a copy that reads the user's object once", t => {
  let reads = ''
  const address = {
    get host() {
      reads += 'h'
      return 'localhost'
    },
    get port() {
      reads += 'p'
      return 80
    },
  }
  checkAddress(address, undefined)
  t.is(reads, 'hp')

  const changing: [string, number] = ['localhost', 80]
  const endpoint = checkBindAddress(changing, undefined)
  changing[0] = '::1'
  changing[1] = 0
  t.deepEqual(endpoint, { family: 'AF_INET', host: 'localhost', port: 80 })
})

test('users see an endpoint as they may give it again', t => {
  for (const address of ['/tmp/x', '\0x', { host: '::1', port: 1 }, { host: 'localhost', port: 65_535 }])
    t.deepEqual(boundAddress(checkAddress(address, undefined, 'linux')), address)
  t.is(boundAddress(checkAddress('\\\\.\\pipe\\x', undefined, 'win32')), '\\\\.\\pipe\\x')
  const endpoint = checkAddress(local, undefined)
  t.not(boundAddress(endpoint), endpoint as unknown)
  t.not(boundAddress(endpoint), boundAddress(endpoint))
})

test('without being told, it is the platform of this process', t => {
  const isWindows = process.platform === 'win32'
  t.is(localFamily, isWindows ? 'AF_PIPE' : 'AF_UNIX')
  t.is(MAX_PATH, process.platform === 'linux' ? 107 : 103)
  const path = isWindows ? '\\\\.\\pipe\\x' : 'x'.repeat(MAX_PATH)
  t.deepEqual(checkAddress(path, undefined), { family: localFamily, path })
  t.deepEqual(checkBindAddress(path, localFamily), { family: localFamily, path })
  if (!isWindows) t.throws(() => checkAddress('x'.repeat(MAX_PATH + 1), undefined), { code: 'ERR_OUT_OF_RANGE' })
})
