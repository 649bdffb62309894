import type { CommandName } from './arguments.ts';

const MAIN = `Headgate is a reverse proxy: HTTPS in front, your services behind it.

  headgate /api=3000 /=5173                  two services on https://localhost:8443/, no file needed
  headgate app.localhost=5173                one by its own name
  headgate start                             the configuration in routes/
  headgate check -c gateway.yaml             is it right? Every mistake, with its line

Commands
  start    run the gateway          route    which route takes this request?
  check    check a configuration    routes   list the routes in the order they are tried
  config   show it with defaults    schema   print its JSON Schema, for editors
  status   how a running one is     drain    take an endpoint out; disable, enable, weight
  cache    what one has stored      purge    make it stale, or drop it
  trust    trust the local CA       untrust  take it out of every store again
  cert     a certificate of it      demo     run a demo service
  help     more about a command: headgate help start

Without a command: ROUTE=TARGET …
  /api=3000               localhost:3000 gets /api and everything below it
  /api/=3000              the same, but without the /api (note the slash)
  /api=host:3000          another machine
  /api=3000,3001          in turn
  app.localhost=3000      a host name; app.localhost/api=3000 with a path
  /api=https://api.example.com/v2            a site, with a path in front

  --listen ADDRESS        HEADGATE_LISTEN or 127.0.0.1 unless given
  -p, --port PORT         HTTPS, HEADGATE_PORT or 8443 unless given
  --http-port PORT        HTTP, which redirects, 8080 unless given
  --admin-port PORT       health, API and dashboard, 4600 unless given

  -h, --help              this, or the help of a command
  -V, --version           the version

Exit codes: 0 fine, 1 failure, 2 usage, 69 unavailable, 75 address in use, 77 no permission, 78 configuration.
`;

const CONFIG = '  -c, --config PATH   directory or file; HEADGATE_CONFIG, or routes/, unless given\n';
const JSON_LINE = '  --json              for programs\n';

const ADMIN = `  --admin URL         where the gateway is asked; HEADGATE_ADMIN, or as the configuration says, unless given
${CONFIG}  --token-file FILE   its token; HEADGATE_ADMIN_TOKEN, or that of the configuration, unless given
${JSON_LINE}`;
const BY_HAND = `
It outlives a reload of the configuration, and not the end of the gateway. Requests under way finish.
Exit codes: 69 when no gateway answers, 77 when the token is missing, 1 when there is no such endpoint.
`;

const CERTS =
  '  --certs DIR         where the local CA is; unless given HEADGATE_CERTS, certs/, or where\n                      headgate ROUTE=TARGET keeps it\n';
const TRUST = `  --dry-run           show the commands, change nothing\n${CERTS}`;

const TOPICS: Readonly<Record<CommandName, string>> = {
  start: `Run the gateway.

  headgate start
  headgate start -c gateway.yaml
  HEADGATE_CONFIG=/etc/headgate headgate start

${CONFIG}  --demo              run the three demo services of the starter configuration too
  --strict            refuse to start when a certificate can't be used, rather than leave it out

SIGTERM and Ctrl-C let exchanges finish; a second Ctrl-C does not. SIGUSR2 opens log files again.
`,
  check: `Check a configuration: all that start does, without starting. Exit code 78 when something is wrong.

  headgate check
  headgate check -c gateway.yaml --json

${CONFIG}${JSON_LINE}`,
  routes: `List the routes in the order they are tried.

  headgate routes
  headgate routes --json

${CONFIG}${JSON_LINE}`,
  route: `Tell which route takes a request, and with --explain why the others do not.

  headgate route https://shop.example/api/users/7
  headgate route POST https://shop.example/api/users -H 'X-Beta: on' --explain

  -H, --header FIELD  a header field of the request; more than once for more
  --explain           every route that came near, and what it wants
${CONFIG}${JSON_LINE}`,
  config: `Show the configuration as it is understood: all files together, with every default.

  headgate config

${CONFIG}${JSON_LINE}`,
  schema: `Print the JSON Schema of the configuration.

  headgate schema > headgate.schema.json

Editors use it when a file begins with:  # yaml-language-server: $schema=headgate.schema.json
`,
  status: `Tell how a running gateway is: listeners, pools, endpoints.

  headgate status
  headgate status --json

${ADMIN}
Exit code: 69 when no gateway answers.
`,
  drain: `Send an endpoint of a running gateway no new work but the sessions that it has.

  headgate drain shop 10.0.0.11:3000
  headgate drain shop unix:/run/app.sock --admin http://127.0.0.1:4600

${ADMIN}${BY_HAND}`,
  disable: `Send an endpoint of a running gateway nothing at all; its sessions move.

  headgate disable shop 10.0.0.11:3000

${ADMIN}${BY_HAND}`,
  enable: `Undo drain and disable: the endpoint of a running gateway gets its share again.

  headgate enable shop 10.0.0.11:3000

${ADMIN}${BY_HAND}`,
  weight: `Give an endpoint of a running gateway another share: 0 to 1000, 0 for its sessions alone.

  headgate weight shop 10.0.0.11:3000 5
  headgate weight shop 10.0.0.11:3000 default

${ADMIN}${BY_HAND}`,
  purge: `Purge what a running gateway has stored: mark it stale, or drop it with --hard.
It holds at once, for answers on their way too.

  headgate purge https://shop.example/index.html
  headgate purge --prefix https://shop.example/assets/
  headgate purge --tag product-7 --tag product-8
  headgate purge --host shop.example --hard
  headgate purge --all

  --prefix URL        everything whose URL begins so
  --host HOST         everything of a host; with its port, only that
  --tag TAG           everything that has the tag; more than once for more
  --all               everything
  --hard              drop it; else it is stale: validated, or served where stale is good enough
${ADMIN}
Exit codes: 69 when no gateway answers, 77 when the token is missing, 1 when it refuses.
`,
  cache: `Tell what the cache of a running gateway has done and holds, or everything that it has stored for a URL.

  headgate cache
  headgate cache https://shop.example/index.html

${ADMIN}
Exit codes: 69 when no gateway answers, 77 when the token is missing that looking at a URL needs.
`,
  trust: `Let this machine trust the local CA, in the system's store and the browsers' (Chromium, Firefox).

  headgate trust
  headgate trust --dry-run

${TRUST}${JSON_LINE}
The CA is made if there is none. What will run is shown before it does. The system's store takes root:
without it the commands are shown, with sudo. A second time nothing changes.
Exit codes: 77 when something is left to root, 1 when something failed or is missing.
`,
  untrust: `Take out of every store of this machine what “headgate trust” has put there, now or earlier.
The CA itself stays where it is.

  headgate untrust
  headgate untrust --dry-run

${TRUST}${JSON_LINE}`,
  cert: `Make a certificate of the local CA, for a server of your own, and tell where its files are.
It is the same one each time, until it is about to end.

  headgate cert db.localhost
  headgate cert shop.test '*.shop.test' 10.0.0.7 --out tls/

  -o, --out DIR       put a copy of certificate and key there
${CERTS}${JSON_LINE}`,
  demo: `Run one of the services that the starter configuration points to: fine, slow, flaky.

  headgate demo fine
  headgate demo slow --address 0.0.0.0 --port 9002

  --address ADDRESS   127.0.0.1 unless given
  --port PORT         9001, 9002, 9003 unless given
`,
  help: MAIN,
  version: MAIN,
};

/** The help of a command, or of all of it; examples first. Ends with a line end. */
export function helpText(topic: CommandName | null): string {
  return topic === null ? MAIN : TOPICS[topic];
}
