#!/usr/bin/env node
// Plain JavaScript that even an old Node can read: it has to say what is wrong before anything newer is parsed.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `headgate needs Node.js 24.15 or newer; this is ${process.versions.node}.\n` +
      'Install a current Node.js (https://nodejs.org), or run the container image.\n',
  );
  process.exit(69);
}

await import('../main.js');
