// Builds the page into $OUTDIR. The same sources and lock file give the same bytes on every machine: no times, no absolute
// paths, no source maps.
import { build } from 'esbuild';
import { mkdir, copyFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.OUTDIR;
if (!out) {
  console.error('set OUTDIR to the folder to build into (`cargo xtask web` does)');
  process.exit(1);
}

await mkdir(out, { recursive: true });
const options = { absWorkingDir: here, bundle: true, minify: true, charset: 'utf8', legalComments: 'none', logLevel: 'warning' };
const script = await build({
  ...options,
  entryPoints: ['src/main.ts'],
  outfile: join(out, 'app.js'),
  format: 'iife',
  target: ['chrome111', 'firefox120', 'safari16'],
  metafile: true,
});
await build({ ...options, entryPoints: ['src/style.css'], outfile: join(out, 'style.css'), target: ['chrome111', 'firefox120', 'safari16'] });
for (const file of ['index.html', 'icon.svg']) {
  await copyFile(join(here, 'src', file), join(out, file));
}
await writeFile(join(out, 'licenses.txt'), await licenses(Object.keys(script.metafile.inputs)));

/** The licenses of the packages that went into the bundle. */
async function licenses(inputs) {
  const names = inputs.map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter(Boolean);
  const texts = [...new Set(names)].sort().map(async (name) => {
    const folder = join(here, 'node_modules', name);
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).sort().find((file) => /^licen[sc]e/i.test(file));
    const text = file ? (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n').trim() : '(no text in the package)';
    return `${name} ${version}, ${license}\n\n${text}\n`;
  });
  return `The conference page holds these packages.\n\n${(await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)}`;
}
