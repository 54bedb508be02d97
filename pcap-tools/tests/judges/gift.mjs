// Reads GIFT from standard input; prints its questions as JSON, or fails with the parser's own words.
import { readFileSync } from 'node:fs';
import gift from 'gift-pegjs';

console.log(JSON.stringify(gift.parse(readFileSync(0, 'utf8'))));
