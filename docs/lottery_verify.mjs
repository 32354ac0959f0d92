#!/usr/bin/env node
// Draws a lottery again from its proof, by the recipe of docs/lottery.md and nothing of Vitrine's own code:
//
//   node lottery_verify.mjs proof.json [--commitment HEX] [--entrants-hash HEX]
//
// The two options are the hashes as you noted them while the lottery went on. It prints what is wrong, a line each, and ends
// with 0 when nothing is.
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const recipe = 'vitrine-lottery-1';
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text, 'utf8').digest();

/** draw returns the entrants in the order in which they win. */
function draw(seed, lottery, entrantsHash, entrants) {
  const key = hmac(seed, `${recipe}\n${lottery}\n${entrantsHash}\n`);
  return entrants
    .map((entrant) => ({ entrant, score: hmac(key, entrant).toString('hex') }))
    .sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : a.entrant < b.entrant ? -1 : 1))
    .map((s) => s.entrant);
}

/** check returns what does not fit, in words. */
function check(p, noted) {
  const wrong = [];
  const expect = (fits, words) => fits || wrong.push(words);
  expect(p.recipe === recipe, `the recipe is not ${recipe}`);
  expect(p.state === 'drawn', 'the lottery is not drawn');
  if (wrong.length > 0) return wrong;
  const entrants = p.entrants ?? [];
  const winners = p.winners ?? [];

  expect(/^[0-9a-f]{64}$/.test(p.seed), 'the seed is not 32 bytes in lower-case hexadecimal');
  const seed = Buffer.from(p.seed, 'hex');
  expect(sha256(seed) === p.commitment, 'the seed is not the one of the commitment');

  expect(entrants.length === p.entries, 'the number of entrants is not the number of entries');
  expect(entrants.every((e, i) => i === 0 || entrants[i - 1] < e), 'the entrants are not in ascending order, each once');
  const list = [recipe, p.lottery, entrants.length, ...entrants].map((line) => `${line}\n`).join('');
  expect(sha256(list) === p.entrants_hash, 'the entrants are not those of the published hash');

  const prizes = p.prizes.flatMap((prize) => Array(prize.count).fill(prize.name));
  const want = draw(seed, p.lottery, p.entrants_hash, entrants).slice(0, prizes.length);
  expect(winners.length === want.length, 'the number of winners is wrong');
  winners.forEach((w, i) => {
    expect(w.rank === i + 1 && w.entrant === want[i] && w.prize === prizes[i], `the winner of rank ${i + 1} is not ${want[i]} with ${prizes[i]}`);
  });

  expect(!noted.commitment || noted.commitment === p.commitment, 'the commitment is not the one that was noted');
  expect(!noted['entrants-hash'] || noted['entrants-hash'] === p.entrants_hash, 'the hash of the entrants is not the one that was noted');
  return wrong;
}

const [file, ...options] = process.argv.slice(2);
if (!file) {
  console.error('usage: lottery_verify.mjs proof.json [--commitment HEX] [--entrants-hash HEX]');
  process.exit(2);
}
const noted = {};
for (let i = 0; i + 1 < options.length; i += 2) noted[options[i].replace(/^--/, '')] = options[i + 1];
const wrong = check(JSON.parse(readFileSync(file, 'utf8')), noted);
console.log(wrong.length === 0 ? 'The winners follow from the seed and the entrants.' : wrong.join('\n'));
process.exit(wrong.length === 0 ? 0 : 1);
