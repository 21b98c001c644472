/** What the serializers are measured with: JSON's values, some of each kind. */

const item = i => ({
  id: i,
  name: `name number ${i}`,
  email: `person${i}@example.org`,
  score: i / 3,
  active: i % 2 === 0,
})
export const values = {
  'small object': { id: 1, name: 'x', tags: ['red', 'green', 'blue'], nested: { a: 1, b: 'two', c: true } },
  'object of 10 rows': {
    id: 123456,
    type: 'order.created',
    rows: Array.from({ length: 10 }, (_, i) => item(i)),
    ok: true,
  },
  '1000 objects': Array.from({ length: 1000 }, (_, i) => item(i)),
  'text of 1000': { text: 'lorem ipsum dolor sit amet '.repeat(37) },
  '20 strings of 40': Array.from({ length: 20 }, (_, i) => `a string of forty characters or so: ${i * 1000}`),
  'no ASCII': { name: 'Zoë Ångström', city: '東京都', mood: 'smile 😀 ok', long: 'ünïcödé '.repeat(20) },
  '100 floats': Array.from({ length: 100 }, (_, i) => i / 7),
  '1 integer': 5,
}
