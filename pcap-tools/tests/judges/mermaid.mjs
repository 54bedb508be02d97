// Reads a mermaid diagram from standard input; prints its type, or fails with the parser's own words.
import { readFileSync } from 'node:fs';
import mermaid from 'mermaid';

console.log((await mermaid.parse(readFileSync(0, 'utf8'))).diagramType);
