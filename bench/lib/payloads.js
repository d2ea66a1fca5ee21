'use strict';
// The values that codecs are measured with; the same in every process and every run.

/** One message of an application: 94 bytes as JSON. */
const small = {
  id: 184467,
  type: 'order',
  symbol: 'EURUSD',
  price: 1.08421,
  qty: 25000,
  side: 'buy',
  ok: 1,
};

/** A document: objects of many shapes inside each other, some of which come again. 10 KB as JSON. */
function nested() {
  return {
    ...order(),
    archive: [1, 2, 3, 4].map(archived),
    drafts: [draft(), { ...draft(), parent: 'a', due: null }],
  };
}

function order() {
  return {
    format: 'order/3',
    id: 'b7c1e0d2-4f7e-4d0a-9a3c-52d1c0a8e911',
    revision: 42,
    locked: false,
    parent: null,
    customer: customer(),
    addresses: {
      billing: { street: '12 St James’s Square', city: 'London', zip: 'SW1Y 4JH', country: 'GB' },
      shipping: {
        street: 'Große Bleichen 5',
        extra: '2. Hof, Aufgang C',
        city: 'Hamburg',
        zip: '20354',
        country: 'DE',
        geo: [53.5511, 9.9937],
      },
    },
    lines: Array.from({ length: 20 }, (_, i) => line(i)),
    history: Array.from({ length: 25 }, (_, i) => event(i)),
    totals: {
      net: 421.87,
      tax: { rate: 0.19, amount: 80.16 },
      gross: 502.03,
      refunds: [],
      rounding: -0.01,
    },
    shipping: {
      carrier: 'Northwind Express',
      service: 'standard',
      parcels: [
        { weight: 2.4, tracking: 'NX000918273645DE', events: 3 },
        { weight: 11.05, tracking: 'NX000918273646DE', events: 0 },
      ],
      window: { from: 1764110000, to: 1764196400 },
    },
    texts: {
      greeting: 'Guten Tag',
      terms:
        'Goods remain our property until they are paid for in full. Returns are free of charge within ' +
        '30 days after delivery, provided that the goods are complete and unused.',
      footer: 'Thank you for your order. — The team',
    },
  };
}

function customer() {
  return {
    number: 100482,
    name: 'Ada Lovelace',
    company: null,
    email: 'ada.lovelace@example.org',
    phones: ['+49 40 1234567', '+44 20 7946 0958'],
    vip: true,
    rating: 4.75,
    tags: ['b2b', 'newsletter', 'early-access'],
    consent: { marketing: false, analytics: true, version: '2025-03' },
    settings: {
      locale: 'de-DE',
      timezone: 'Europe/Berlin',
      theme: { dark: true, accent: '#3b82f6', fontSize: 14 },
      notifications: {
        email: { enabled: true, digest: 'weekly' },
        push: { enabled: false, quietHours: [22, 7] },
        sms: null,
      },
    },
    features: {
      checkoutV2: true,
      giftWrap: false,
      maxItems: 250,
      ratio: 0.333333,
      experiments: { cartButton: 'green', searchRanking: 7, heroImage: null },
    },
  };
}

function line(i) {
  const names = [
    'Desk lamp "Oslo"',
    'Notebook A5, dotted',
    'USB-C cable',
    'Kaffeemühle',
    'Pen set',
  ];
  return {
    line: i + 1,
    sku: `SKU-${48210 + i * 317}-${'ABCDE'[i % 5]}`,
    name: names[i % 5],
    quantity: ((i * 7) % 5) + 1,
    price: { net: 12.5 + i * 3.35, gross: 14.88 + i * 4, currency: 'EUR' },
    ...(i % 3 === 0 ? { discount: { percent: 5 + i, reason: 'loyalty' } } : { taxClass: 'A' }),
    ...(i % 4 === 0
      ? { dimensions: { w: 120 + i, h: 80, d: 33.5, unit: 'mm' }, fragile: true }
      : {}),
    stock: [
      ['hamburg', 14 + i],
      ['lyon', 3],
    ],
  };
}

function event(i) {
  const states = ['created', 'paid', 'packed', 'handed over', 'in transit', 'delivered'];
  const note =
    'Asked by telephone whether it can arrive before the weekend; that depends on the carrier.';
  return {
    at: 1763942400000 + i * 5_400_123,
    state: states[i % 6],
    by: i % 2 ? 'system' : `agent-${17 + i}`,
    ...(i % 5 === 1 ? { note } : {}),
  };
}

function archived(i) {
  return {
    id: `archive-${i}`,
    reason: 'superseded',
    checks: {
      stock: 'ok',
      fraud: { score: 0.0213 * i, model: 'gb-7', signals: { ipCountry: 'DE', velocity: i } },
      address: i > 1,
    },
    matrix: [
      [1, 0, 0.5],
      [0, 1, -0.5],
      [12 * i, 300, 70000],
    ],
    hours: { mon: [8, 18], tue: [8, 18], wed: [8, 20], thu: [8, 18], fri: [8, 16], sat: null },
  };
}

function draft() {
  return {
    title: 'Autumn catalogue',
    blocks: [
      { kind: 'text', html: '<p>New <b>lamps</b> and the old ones at half the price.</p>' },
      { kind: 'image', src: '/media/lamps.jpg', width: 1280, height: 720, alt: 'Three lamps' },
      { kind: 'list', items: ['Oslo', 'Turin', 'Porto'], ordered: false },
      { kind: 'quote', text: 'It stands by my bed.', by: { name: 'G. H.', city: 'Graz' } },
    ],
    meta: { author: 7, seo: { index: true, slug: 'autumn-catalogue', score: 81 }, flags: 5 },
  };
}

/** An order of a web shop: 1 KB as JSON. */
const kib = {
  id: 184467,
  customer: customer(),
  lines: [line(0), line(1)],
};

/** 70 KB as JSON: integers and fractions in turn. */
const numbers = Array.from({ length: 10_000 }, (_, i) => (i % 2 ? -i * 1.5 : i * 7));

const bytes = Uint8Array.from({ length: 2 ** 20 }, (_, i) => (i * 2654435761) >>> 13);

/** Rows of a table, all of one shape: the best case of codecs that send a shape once. */
const rows = Array.from({ length: 36 }, (_, i) => ({
  id: 1000 + i * 37,
  name: `User number ${i}`,
  email: `user${i}@example.org`,
  status: ['active', 'blocked', 'pending'][i % 3],
  verified: i % 2 === 0,
  balance: i % 3 === 0 ? i * 17 : i * 17.35,
  lastLogin: null,
  address: { street: `${i} Long Street`, city: 'Zürich', zip: `${10_000 + i * 13}` },
  tags: ['a', 'beta', `tag-${i}`],
}));

module.exports = { small, kib, nested: nested(), numbers, bytes, rows };
