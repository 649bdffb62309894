/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export interface Stage {
  readonly name: string | null;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile; continued lines are joined. Throws at what is no instruction. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string | null; image: string; instructions: Instruction[] }[] = [];
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, keyword, rest] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) throw new Error(`Not an instruction: ${line}`);
    if (keyword === 'FROM') {
      const [image = '', , name = null] = rest.split(/\s+/);
      stages.push({ name, image, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${keyword} before FROM`);
    stage.instructions.push({ keyword, rest });
  }
  return stages;
}

/** What a COPY takes from where: `stage` is `null` for the build context. */
export interface Copy {
  readonly stage: string | null;
  readonly sources: readonly string[];
  readonly destination: string;
}

export function copiesOf(stage: Stage): Copy[] {
  return stage.instructions.filter(({ keyword }) => keyword === 'COPY').map(({ rest }) => parseCopy(rest));
}

export function parseCopy(rest: string): Copy {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') === true ? (words.shift() ?? '').slice('--from='.length) : null;
  const destination = words.pop() ?? '';
  return { stage: from, sources: words, destination };
}

/** The last value that `keyword` has in a stage. Throws when it has none. */
export function lastValue(stage: Stage, keyword: string): string {
  const found = stage.instructions.filter((instruction) => instruction.keyword === keyword).at(-1);
  if (found === undefined) throw new Error(`The stage has no ${keyword}`);
  return found.rest;
}
